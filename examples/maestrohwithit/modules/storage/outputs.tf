output "bucket_names" {
  description = "Bucket names by purpose."
  value       = { for key, bucket in aws_s3_bucket.this : key => bucket.id }
}
