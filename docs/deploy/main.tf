# Terraform or OpenTofu: a function with the layer, which `apply` uploads.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "api_key_secret_arn" {
  type        = string
  description = "The secret in Secrets Manager that holds the API key"
}

variable "role_arn" {
  type        = string
  description = "The function's role; iam/secrets-manager.json is the policy that it needs"
}

resource "aws_lambda_layer_version" "thaw" {
  layer_name               = "thaw"
  filename                 = "../../dist/thaw-layer-0.1.0-x86_64.zip"
  source_code_hash         = filebase64sha256("../../dist/thaw-layer-0.1.0-x86_64.zip")
  compatible_architectures = ["x86_64"]
}

resource "aws_lambda_function" "orders" {
  function_name    = "orders"
  runtime          = "python3.13"
  architectures    = ["x86_64"]
  handler          = "app.handler"
  filename         = "function.zip"
  source_code_hash = filebase64sha256("function.zip")
  role             = var.role_arn
  memory_size      = 512
  timeout          = 30
  layers           = [aws_lambda_layer_version.thaw.arn]

  environment {
    variables = {
      DD_API_KEY_SECRET_ARN = var.api_key_secret_arn
      DD_SITE               = "datadoghq.eu"
      DD_SERVICE            = "orders"
      DD_ENV                = "production"
      DD_VERSION            = "1.4.0"
    }
  }
}
