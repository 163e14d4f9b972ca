region = "us-east-2"   
	indented = "us-east-2"	
