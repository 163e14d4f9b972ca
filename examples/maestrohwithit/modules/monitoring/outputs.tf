output "topic_arn" {
  description = "Topic that every alarm notifies."
  value       = aws_sns_topic.alarms.arn
}

output "alarm_names" {
  description = "The alarms."
  value = concat(
    [
      aws_cloudwatch_metric_alarm.rds_cpu.alarm_name,
      aws_cloudwatch_metric_alarm.rds_storage.alarm_name,
      aws_cloudwatch_metric_alarm.alb_unhealthy.alarm_name,
    ],
    aws_cloudwatch_metric_alarm.ec2_status[*].alarm_name,
  )
}
