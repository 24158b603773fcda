# S3 as people keep it in Terraform: a bucket with all that decides about it, and objects in it.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "days" {
  default = 30
}

provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
}

data "aws_caller_identity" "me" {}
data "aws_canonical_user_id" "me" {}

resource "aws_iam_role" "replication" {
  name = "replication"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_kms_key" "app" {
  deletion_window_in_days = 7
}

resource "aws_s3_bucket" "app" {
  bucket = "productionapp-tf"
  tags   = { team = "blue" }
}

resource "aws_s3_bucket" "logs" {
  bucket        = "productionapp-tf-logs"
  force_destroy = true
}

resource "aws_s3_bucket" "open" {
  bucket_prefix = "open-"
}

resource "aws_s3_bucket" "locked" {
  bucket              = "productionapp-tf-locked"
  object_lock_enabled = true
}

resource "aws_s3_bucket_policy" "app" {
  bucket = aws_s3_bucket.app.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:GetObjectTorrent"
      Resource  = ["${aws_s3_bucket.app.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }, {
      Sid       = "Role"
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.replication.arn }
      Action    = ["s3:GetObject", "s3:ListBucket"]
      Resource  = [aws_s3_bucket.app.arn, "${aws_s3_bucket.app.arn}/*"]
    }]
  })
}

resource "aws_s3_bucket_versioning" "app" {
  bucket = aws_s3_bucket.app.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_versioning" "logs" {
  bucket = aws_s3_bucket.logs.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_public_access_block" "app" {
  bucket                  = aws_s3_bucket.app.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_public_access_block" "open" {
  bucket              = aws_s3_bucket.open.id
  block_public_acls   = false
  ignore_public_acls  = false
  block_public_policy = true
}

resource "aws_s3_bucket_ownership_controls" "open" {
  bucket = aws_s3_bucket.open.id
  rule { object_ownership = "BucketOwnerPreferred" }
}

resource "aws_s3_bucket_acl" "open" {
  bucket = aws_s3_bucket.open.id
  access_control_policy {
    owner { id = data.aws_canonical_user_id.me.id }
    grant {
      permission = "FULL_CONTROL"
      grantee {
        type = "CanonicalUser"
        id   = data.aws_canonical_user_id.me.id
      }
    }
    grant {
      permission = "READ"
      grantee {
        type = "Group"
        uri  = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
      }
    }
  }
  depends_on = [
    aws_s3_bucket_ownership_controls.open, aws_s3_bucket_public_access_block.open
  ]
}

resource "aws_s3_bucket_cors_configuration" "app" {
  bucket = aws_s3_bucket.app.id
  cors_rule {
    id              = "pages"
    allowed_headers = ["*"]
    allowed_methods = ["PUT", "POST"]
    allowed_origins = ["https://www.example.com"]
    expose_headers  = ["ETag"]
    max_age_seconds = var.days
  }
  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["*"]
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "app" {
  bucket = aws_s3_bucket.app.id
  rule {
    id     = "logs"
    status = "Enabled"
    filter {
      and {
        prefix = "logs/"
        tags   = { keep = "short" }
      }
    }
    expiration { days = 90 }
    noncurrent_version_expiration {
      noncurrent_days           = 7
      newer_noncurrent_versions = 3
    }
  }
  rule {
    id     = "uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload { days_after_initiation = 7 }
  }
  rule {
    id     = "cold"
    status = "Disabled"
    filter { prefix = "cold/" }
    transition {
      days          = 60
      storage_class = "STANDARD_IA"
    }
  }
  depends_on = [aws_s3_bucket_versioning.app]
}

data "aws_iam_policy_document" "deliveries" {
  statement {
    sid       = "Logs"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.logs.arn}/*"]
    principals {
      type        = "Service"
      identifiers = ["logging.s3.amazonaws.com", "s3.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.me.account_id]
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = data.aws_iam_policy_document.deliveries.json
}

resource "aws_s3_bucket_logging" "app" {
  bucket        = aws_s3_bucket.app.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "access/"
  depends_on    = [aws_s3_bucket_policy.logs]
}

resource "aws_s3_bucket_notification" "app" {
  bucket      = aws_s3_bucket.app.id
  eventbridge = true
}

resource "aws_s3_bucket_object_lock_configuration" "locked" {
  bucket = aws_s3_bucket.locked.id
  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = 1
    }
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "app" {
  bucket = aws_s3_bucket.app.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.app.arn
    }
  }
}

resource "aws_s3_bucket_website_configuration" "app" {
  bucket = aws_s3_bucket.app.id
  index_document { suffix = "index.html" }
  error_document { key = "error.html" }
  routing_rule {
    condition { key_prefix_equals = "docs/" }
    redirect { replace_key_prefix_with = "documents/" }
  }
}

resource "aws_s3_bucket_request_payment_configuration" "app" {
  bucket = aws_s3_bucket.app.id
  payer  = "Requester"
}

resource "aws_s3_bucket_accelerate_configuration" "app" {
  bucket = aws_s3_bucket.app.id
  status = "Enabled"
}

resource "aws_s3_bucket_intelligent_tiering_configuration" "app" {
  bucket = aws_s3_bucket.app.id
  name   = "archive"
  filter {
    prefix = "documents/"
    tags   = { class = "blue" }
  }
  tiering {
    access_tier = "ARCHIVE_ACCESS"
    days        = 125
  }
  tiering {
    access_tier = "DEEP_ARCHIVE_ACCESS"
    days        = 180
  }
}

resource "aws_s3_bucket_metric" "app" {
  bucket = aws_s3_bucket.app.id
  name   = "documents"
  filter {
    prefix = "documents/"
    tags   = { class = "blue" }
  }
}

resource "aws_s3_bucket_analytics_configuration" "app" {
  bucket = aws_s3_bucket.app.id
  name   = "all"
  storage_class_analysis {
    data_export {
      destination {
        s3_bucket_destination {
          bucket_arn = aws_s3_bucket.logs.arn
          prefix     = "analytics"
        }
      }
    }
  }
}

resource "aws_s3_bucket_inventory" "app" {
  bucket                   = aws_s3_bucket.app.id
  name                     = "daily"
  included_object_versions = "All"
  optional_fields          = ["ETag", "Size"]
  schedule { frequency = "Daily" }
  filter { prefix = "documents/" }
  destination {
    bucket {
      format     = "CSV"
      bucket_arn = aws_s3_bucket.logs.arn
      prefix     = "inventory"
    }
  }
  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_s3_bucket_replication_configuration" "app" {
  bucket = aws_s3_bucket.app.id
  role   = aws_iam_role.replication.arn
  rule {
    id     = "documents"
    status = "Enabled"
    filter { prefix = "replicated/" }
    delete_marker_replication { status = "Disabled" }
    destination {
      bucket        = aws_s3_bucket.logs.arn
      storage_class = "STANDARD"
    }
  }
  depends_on = [aws_s3_bucket_versioning.app, aws_s3_bucket_versioning.logs]
}

resource "aws_s3_object" "page" {
  bucket        = aws_s3_bucket.app.id
  key           = "documents/index.html"
  content       = "<p>kept ${var.days} days</p>"
  content_type  = "text/html"
  cache_control = "max-age=60"
  metadata      = { of = "terraform" }
  tags          = { class = "blue" }
  depends_on = [
    aws_s3_bucket_versioning.app, aws_s3_bucket_server_side_encryption_configuration.app
  ]
}

resource "aws_s3_object" "held" {
  bucket                        = aws_s3_bucket.locked.id
  key                           = "held"
  content                       = "held"
  checksum_algorithm            = "SHA256"
  object_lock_legal_hold_status = "OFF"
  object_lock_mode              = "GOVERNANCE"
  object_lock_retain_until_date = "2126-01-01T00:00:00Z"
  force_destroy                 = true
}

resource "aws_s3_object_copy" "copy" {
  bucket = aws_s3_bucket.open.id
  key    = "copy.html"
  source = "${aws_s3_object.page.bucket}/${aws_s3_object.page.key}"
  acl    = "private"
  tags   = { class = "copied" }

  tagging_directive = "REPLACE"
  depends_on        = [aws_s3_bucket_acl.open]
}

data "aws_s3_bucket" "app" {
  bucket = aws_s3_bucket.app.bucket
}

data "aws_s3_object" "page" {
  bucket = aws_s3_object.page.bucket
  key    = aws_s3_object.page.key
}

data "aws_s3_objects" "pages" {
  bucket     = aws_s3_bucket.app.bucket
  prefix     = "documents/"
  depends_on = [aws_s3_object.page]
}

data "aws_s3_bucket_policy" "app" {
  bucket     = aws_s3_bucket.app.bucket
  depends_on = [aws_s3_bucket_policy.app]
}

output "keys" {
  value = data.aws_s3_objects.pages.keys
}

output "page" {
  value = data.aws_s3_object.page.body
}
