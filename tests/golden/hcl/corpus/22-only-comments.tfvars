# nothing here

/* and
here */