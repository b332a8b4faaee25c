"""Roles, and who else may take them; keys, secrets, certificates."""

import json

from moto_padron.kind import Call, Clients, Kind, Record, only

IAM, KMS, SECRETS, ACM = "iam", "kms", "secretsmanager", "acm"
KEY_POLICY = Call("put_key_policy", {"KeyId": "id", "PolicyName": "'default'"}, source="{Policy: KeyPolicy}")
TRUST = Call("update_assume_role_policy", {"RoleName": "id"}, source="{PolicyDocument: AssumeRolePolicyDocument}")


def _policies(client: Clients, record: Record) -> None:
    """Attach the managed policies of a role and write its own."""
    iam, p = client(), record["properties"]
    for arn in p.get("ManagedPolicyArns", []):
        iam.attach_role_policy(RoleName=record["id"], PolicyArn=arn)
    for policy in p.get("Policies", []):
        iam.put_role_policy(
            RoleName=record["id"], PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"])
        )


def _no_policies(client: Clients, record: Record) -> None:
    """Take a role's policies away, with which it cannot be deleted: those of its own resource alone."""
    iam, name, p = client(), record["id"], record["properties"]
    for arn in p.get("ManagedPolicyArns", []):
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    for policy in p.get("Policies", []):
        iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])


def _attach(client: Clients, record: Record) -> None:
    """Attach a managed policy to the roles that it names, and to no other."""
    iam, arn, old = client(), record["id"], record["old"].get("Roles", [])
    new = record["properties"].get("Roles", [])
    for role in old:
        if role not in new:
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    for role in new:
        if role not in old:
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def _detach(client: Clients, record: Record) -> None:
    for role in record["properties"].get("Roles", []):
        client().detach_role_policy(RoleName=role, PolicyArn=record["id"])


def _new_version(client: Clients, record: Record) -> None:
    """Make the document the policy's default, and forget the one before it: five versions are all there may be."""
    iam, arn = client(), record["id"]
    document = json.dumps(record["properties"]["PolicyDocument"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


def _replicate(client: Clients, record: Record) -> dict:
    """Ask the primary key's region for a replica in this one."""
    p = record["properties"]
    primary = client(region=p["PrimaryKeyArn"].split(":")[3])
    made = primary.replicate_key(KeyId=p["PrimaryKeyArn"].split("/")[-1], ReplicaRegion=record["region"])
    return {"KeyMetadata": made["ReplicaKeyMetadata"]}


def _secret(client: Clients, record: Record) -> dict:
    """Make a secret of the value that is given or of one that is generated."""
    p, secrets = record["properties"], client()
    value = p.get("SecretString")
    if value is None:
        how = dict(p.get("GenerateSecretString", {}))
        template, key = how.pop("SecretStringTemplate", None), how.pop("GenerateStringKey", None)
        value = secrets.get_random_password(**how)["RandomPassword"]
        if template is not None:
            value = json.dumps({**json.loads(template), key: value})
    request = {k: p[k] for k in ("Name", "Description", "KmsKeyId", "Tags") if k in p}
    return secrets.create_secret(SecretString=value, **request)


DELETE_KEY = Call(
    "schedule_key_deletion", {"KeyId": "id", "PendingWindowInDays": "to_number(properties.PendingWindowInDays)"}
)

KINDS = (
    Kind(
        "AWS::IAM::Role", IAM,
        Call("create_role", source=only("RoleName", "AssumeRolePolicyDocument", "Path", "Description",
             "MaxSessionDuration", "PermissionsBoundary", "Tags")),
        id="response.Role.RoleName", attributes={"Arn": "response.Role.Arn", "RoleId": "response.Role.RoleId"},
        name="RoleName", then=[_policies], update=[TRUST], delete=[_no_policies, Call("delete_role", {"RoleName": "id"})],
    ),
    Kind(
        "AWS::IAM::ManagedPolicy", IAM,
        Call("create_policy", source="{PolicyName: ManagedPolicyName, PolicyDocument: PolicyDocument, "
             "Description: Description, Path: Path}"),
        id="response.Policy.Arn", attributes={"PolicyArn": "id"}, name="ManagedPolicyName",
        then=[_attach], update=[_new_version], delete=[_detach, Call("delete_policy", {"PolicyArn": "id"})],
    ),
    Kind(
        "AWS::IAM::OIDCProvider", IAM, Call("create_open_id_connect_provider"),
        id="response.OpenIDConnectProviderArn", attributes={"Arn": "id"},
        delete=[Call("delete_open_id_connect_provider", {"OpenIDConnectProviderArn": "id"})],
    ),
    Kind(
        "AWS::IAM::ServiceLinkedRole", IAM, Call("create_service_linked_role"), id="response.Role.RoleName",
        delete=[Call("delete_service_linked_role", {"RoleName": "id"})],
    ),
    Kind(
        "AWS::KMS::Key", KMS,
        Call("create_key", source="{Description: Description, Policy: KeyPolicy, KeySpec: KeySpec, KeyUsage: KeyUsage, "
             "MultiRegion: MultiRegion, Tags: Tags[].{TagKey: Key, TagValue: Value}}"),
        id="response.KeyMetadata.KeyId", attributes={"Arn": "response.KeyMetadata.Arn", "KeyId": "id"},
        then=[Call("enable_key_rotation", {"KeyId": "id"},
                   "EnableKeyRotation && {RotationPeriodInDays: RotationPeriodInDays}")],
        update=[KEY_POLICY], delete=[DELETE_KEY],
    ),
    Kind(
        "AWS::KMS::ReplicaKey", KMS, _replicate,
        id="response.KeyMetadata.KeyId", attributes={"Arn": "response.KeyMetadata.Arn", "KeyId": "id"},
        then=[KEY_POLICY], update=[KEY_POLICY], delete=[DELETE_KEY],
    ),
    Kind(
        "AWS::KMS::Alias", KMS, Call("create_alias"), id="properties.AliasName",
        update=[Call("update_alias")], delete=[Call("delete_alias", {"AliasName": "id"})],
    ),
    Kind(
        "AWS::SecretsManager::Secret", SECRETS, _secret, id="response.ARN", attributes={"Id": "id"}, name="Name",
        update=[Call("update_secret", {"SecretId": "id"}, source=only("Description", "KmsKeyId"))],
        delete=[Call("delete_secret", {"SecretId": "id", "ForceDeleteWithoutRecovery": "`true`"})],
    ),
    Kind(
        "AWS::CertificateManager::Certificate", ACM,
        Call("request_certificate", source=only("DomainName", "SubjectAlternativeNames", "ValidationMethod",
             "KeyAlgorithm", "Tags")),
        id="response.CertificateArn", delete=[Call("delete_certificate", {"CertificateArn": "id"})],
    ),
)
