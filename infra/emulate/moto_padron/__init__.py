"""What moto's CloudFormation lacks to deploy padron's estate.

moto emulates far more of AWS than its CloudFormation can create. This package
gives CloudFormation the missing types: most are created by calls to moto's own
services through boto3, as CloudFormation's handlers do in AWS (package kinds);
where moto has no service, a stub keeps the properties and answers references
(stubs.py). `python -m moto_padron` serves the whole.
"""
