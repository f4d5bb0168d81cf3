"""AWS CDK: a function with the layer, which `cdk deploy` uploads."""

from aws_cdk import Duration, Stack, aws_lambda, aws_secretsmanager
from constructs import Construct


class OrdersStack(Stack):
    def __init__(self, scope: Construct, name: str, *, secret_arn: str) -> None:
        super().__init__(scope, name)
        layer = aws_lambda.LayerVersion(
            self,
            "Thaw",
            code=aws_lambda.Code.from_asset("dist/thaw-layer-0.1.0-x86_64.zip"),
            compatible_architectures=[aws_lambda.Architecture.X86_64],
        )
        function = aws_lambda.Function(
            self,
            "Orders",
            runtime=aws_lambda.Runtime.PYTHON_3_13,
            architecture=aws_lambda.Architecture.X86_64,
            handler="app.handler",
            code=aws_lambda.Code.from_asset("function"),
            memory_size=512,
            timeout=Duration.seconds(30),
            layers=[layer],
            environment={
                "DD_API_KEY_SECRET_ARN": secret_arn,
                "DD_SITE": "datadoghq.eu",
                "DD_SERVICE": "orders",
                "DD_ENV": "production",
                "DD_VERSION": "1.4.0",
            },
        )
        secret = aws_secretsmanager.Secret.from_secret_complete_arn(self, "ApiKey", secret_arn)
        secret.grant_read(function)
