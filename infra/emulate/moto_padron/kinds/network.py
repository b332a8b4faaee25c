"""EC2's network: routes, access lists, security groups, transit; and the bastion."""

from typing import Any

from moto_padron.kind import Call, Clients, Kind, Record, given, only

EC2 = "ec2"
# Tags are given to what has an id.
TAG = Call("create_tags", {"Resources": "[id]"}, source=given("Tags"))


def _associate(client: Clients, record: Record) -> Any:
    """Put a subnet under another access list than the one it has."""
    return _put_under(client(EC2), record["properties"]["SubnetId"], record["properties"]["NetworkAclId"])


def _put_under(ec2: Any, subnet: str, acl: str) -> Any:
    lists = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    for association in lists["NetworkAcls"][0]["Associations"]:
        if association["SubnetId"] == subnet:
            return ec2.replace_network_acl_association(
                AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl
            )
    raise LookupError(f"subnet {subnet} is under no access list")


def _dissociate(client: Clients, record: Record) -> Any:
    """Put the subnet back under the VPC's default list."""
    ec2, subnet = client(EC2), record["properties"]["SubnetId"]
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    default = ec2.describe_network_acls(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["true"]}]
    )
    return _put_under(ec2, subnet, default["NetworkAcls"][0]["NetworkAclId"])


def _permission(p: dict[str, Any]) -> dict[str, Any]:
    """A rule of a security group as the API takes it."""
    rule: dict[str, Any] = {"IpProtocol": str(p["IpProtocol"])}
    for port in ("FromPort", "ToPort"):
        if port in p:
            rule[port] = int(p[port])
    for source, target, member in (
        ("CidrIp", "IpRanges", "CidrIp"),
        ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
        ("PrefixListId", "PrefixListIds", "PrefixListId"),
        ("SecurityGroupId", "UserIdGroupPairs", "GroupId"),
    ):
        value = p.get(source) or p.get("Source" + source) or p.get("Destination" + source)
        if value:
            rule[target] = [{member: value, "Description": p.get("Description", "")}]
    return rule


def _rule(verb: str, way: str) -> Any:
    """Return a step that authorizes or revokes the rule that a resource is."""

    def change(client: Clients, record: Record) -> Any:
        p = record["properties"]
        operation = getattr(client(), f"{verb}_security_group_{way}")
        return operation(GroupId=p["GroupId"], IpPermissions=[_permission(p)])

    return change


def _group(client: Clients, record: Record) -> Any:
    """Make a group without the rule that lets everything out, unless nothing is said of the ways out."""
    p, ec2 = record["properties"], client()
    made = ec2.create_security_group(GroupName=p["GroupName"], Description=p["GroupDescription"], VpcId=p["VpcId"])
    if p.get("SecurityGroupEgress"):
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.revoke_security_group_egress(GroupId=made["GroupId"], IpPermissions=[everything])
    return made


def _rules(client: Clients, record: Record) -> None:
    """Bring a group's own rules to what the template says: those that are gone, then those that are new."""
    ec2, old, new = client(), record["old"], record["properties"]
    for way in ("ingress", "egress"):
        before, after = (p.get("SecurityGroup" + way.capitalize(), []) for p in (old, new))
        for verb, rules in (
            ("revoke", [r for r in before if r not in after]), ("authorize", [r for r in after if r not in before]),
        ):
            for rule in rules:
                operation = getattr(ec2, f"{verb}_security_group_{way}")
                operation(GroupId=record["id"], IpPermissions=[_permission(rule)])


def _close_default_group(client: Clients, record: Record) -> Any:
    """What the CDK's function does: take every rule from a VPC's default group."""
    ec2, group = client(EC2), record["properties"]["DefaultSecurityGroupId"]
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    if found["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=found["IpPermissions"])
    if found["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found["IpPermissionsEgress"])


def _of_launch_template(client: Clients, record: Record) -> None:
    """Give an instance what its launch template says of its metadata: moto takes the rest alone."""
    template = record["properties"].get("LaunchTemplate")
    if not template:
        return
    ec2 = client()
    which = {k: v for k, v in template.items() if k != "Version"}
    version = ec2.describe_launch_template_versions(Versions=[str(template["Version"])], **which)["LaunchTemplateVersions"][0]
    options = version["LaunchTemplateData"].get("MetadataOptions", {})
    if options:
        ec2.modify_instance_metadata_options(InstanceId=record["id"], **options)


KINDS = (
    # moto creates the first nine by itself, and never deletes them again.
    Kind(
        "AWS::EC2::InternetGateway", EC2, Call("create_internet_gateway", source="`{}`"),
        id="response.InternetGateway.InternetGatewayId", attributes={"InternetGatewayId": "id"},
        then=[TAG], update=[TAG], delete=[Call("delete_internet_gateway", {"InternetGatewayId": "id"})],
    ),
    Kind(
        "AWS::EC2::VPCGatewayAttachment", EC2, Call("attach_internet_gateway"),
        id="join('|', ['IGW', properties.VpcId])",
        delete=[Call("detach_internet_gateway", {
            "InternetGatewayId": "properties.InternetGatewayId", "VpcId": "properties.VpcId",
        })],
    ),
    Kind(
        "AWS::EC2::EIP", EC2, Call("allocate_address"), id="response.PublicIp",
        attributes={"AllocationId": "response.AllocationId", "PublicIp": "id"},
        then=[Call("create_tags", {"Resources": "[response.AllocationId]"}, source=given("Tags"))],
        delete=[Call("release_address", {"AllocationId": "response.AllocationId"})],
    ),
    Kind(
        "AWS::EC2::NatGateway", EC2, Call("create_nat_gateway", source=only("AllocationId", "SubnetId")),
        id="response.NatGateway.NatGatewayId", attributes={"NatGatewayId": "id"},
        then=[TAG], delete=[Call("delete_nat_gateway", {"NatGatewayId": "id"})],
    ),
    Kind(
        "AWS::EC2::RouteTable", EC2, Call("create_route_table", source=only("VpcId")),
        id="response.RouteTable.RouteTableId", attributes={"RouteTableId": "id"},
        then=[TAG], update=[TAG], delete=[Call("delete_route_table", {"RouteTableId": "id"})],
    ),
    Kind(
        "AWS::EC2::Route", EC2, Call("create_route"),
        id="join('|', [properties.RouteTableId, properties.DestinationCidrBlock])",
        delete=[Call("delete_route", {
            "RouteTableId": "properties.RouteTableId", "DestinationCidrBlock": "properties.DestinationCidrBlock",
        })],
    ),
    Kind(
        "AWS::EC2::SubnetRouteTableAssociation", EC2, Call("associate_route_table"),
        id="response.AssociationId", attributes={"Id": "id"},
        delete=[Call("disassociate_route_table", {"AssociationId": "id"})],
    ),
    Kind(
        "AWS::EC2::FlowLog", EC2, Call("create_flow_logs", {"ResourceIds": "[properties.ResourceId]"}),
        id="response.FlowLogIds[0]", attributes={"Id": "id"},
        then=[TAG], delete=[Call("delete_flow_logs", {"FlowLogIds": "[id]"})],
    ),
    Kind(
        "AWS::EC2::VPCEndpoint", EC2, Call("create_vpc_endpoint"),
        id="response.VpcEndpoint.VpcEndpointId", attributes={"Id": "id"},
        then=[TAG], delete=[Call("delete_vpc_endpoints", {"VpcEndpointIds": "[id]"})],
    ),
    Kind(
        "AWS::EC2::NetworkAcl", EC2, Call("create_network_acl", source=only("VpcId")),
        id="response.NetworkAcl.NetworkAclId", attributes={"Id": "id"},
        then=[TAG], update=[TAG], delete=[Call("delete_network_acl", {"NetworkAclId": "id"})],
    ),
    Kind(
        "AWS::EC2::NetworkAclEntry", EC2,
        Call("create_network_acl_entry", {"Egress": "properties.Egress || `false`"}),
        id="join('-', ['acl', properties.NetworkAclId, to_string(properties.RuleNumber), to_string(properties.Egress || `false`)])",
        delete=[Call("delete_network_acl_entry", {
            "NetworkAclId": "properties.NetworkAclId", "RuleNumber": "to_number(properties.RuleNumber)",
            "Egress": "properties.Egress || `false`",
        })],
    ),
    Kind(
        "AWS::EC2::SubnetNetworkAclAssociation", EC2, _associate,
        id="response.NewAssociationId", attributes={"AssociationId": "id"}, delete=[_dissociate],
    ),
    Kind(
        "AWS::EC2::SecurityGroup", EC2, _group, id="response.GroupId", name="GroupName",
        attributes={"GroupId": "id", "Id": "id", "VpcId": "properties.VpcId"},
        then=[_rules, TAG], update=[Call("describe_security_groups", {"GroupIds": "[id]"}, "`{}`")],
        delete=[Call("delete_security_group", {"GroupId": "id"})],
    ),
    Kind(
        "AWS::EC2::SecurityGroupIngress", EC2, _rule("authorize", "ingress"),
        id="response.SecurityGroupRules[0].SecurityGroupRuleId", delete=[_rule("revoke", "ingress")],
    ),
    Kind(
        "AWS::EC2::SecurityGroupEgress", EC2, _rule("authorize", "egress"),
        id="response.SecurityGroupRules[0].SecurityGroupRuleId", delete=[_rule("revoke", "egress")],
    ),
    Kind(
        "AWS::EC2::TransitGateway", EC2,
        Call("create_transit_gateway", source="{Description: Description, Options: @}"),
        id="response.TransitGateway.TransitGatewayId", attributes={"Id": "id"},
        then=[TAG], delete=[Call("delete_transit_gateway", {"TransitGatewayId": "id"})],
    ),
    Kind(
        "AWS::EC2::TransitGatewayVpcAttachment", EC2,
        Call("create_transit_gateway_vpc_attachment", source=only("TransitGatewayId", "VpcId", "SubnetIds", "Options")),
        id="response.TransitGatewayVpcAttachment.TransitGatewayAttachmentId", attributes={"Id": "id"},
        then=[TAG], delete=[Call("delete_transit_gateway_vpc_attachment", {"TransitGatewayAttachmentId": "id"})],
    ),
    Kind(
        "AWS::EC2::CustomerGateway", EC2,
        Call("create_customer_gateway", source=only("Type", "IpAddress", "BgpAsn")),
        id="response.CustomerGateway.CustomerGatewayId", attributes={"CustomerGatewayId": "id"},
        then=[TAG], delete=[Call("delete_customer_gateway", {"CustomerGatewayId": "id"})],
    ),
    Kind(
        "AWS::EC2::VPNConnection", EC2,
        Call("create_vpn_connection", source="{Type: Type, CustomerGatewayId: CustomerGatewayId, "
             "TransitGatewayId: TransitGatewayId, Options: {StaticRoutesOnly: StaticRoutesOnly}}"),
        id="response.VpnConnection.VpnConnectionId", attributes={"VpnConnectionId": "id"},
        then=[TAG], delete=[Call("delete_vpn_connection", {"VpnConnectionId": "id"})],
    ),
    Kind(
        "AWS::EC2::VPCEndpointService", EC2, Call("create_vpc_endpoint_service_configuration"),
        id="response.ServiceConfiguration.ServiceId", attributes={"ServiceId": "id"},
        delete=[Call("delete_vpc_endpoint_service_configurations", {"ServiceIds": "[id]"})],
    ),
    Kind(
        "AWS::EC2::VPCEndpointServicePermissions", EC2,
        Call("modify_vpc_endpoint_service_permissions", source="{ServiceId: ServiceId, AddAllowedPrincipals: AllowedPrincipals}"),
        id="properties.ServiceId",
        update=[Call("modify_vpc_endpoint_service_permissions",
                     source="{ServiceId: ServiceId, AddAllowedPrincipals: AllowedPrincipals}")],
    ),
    Kind(
        "AWS::EC2::Instance", EC2,
        Call("run_instances", {
            "MinCount": "`1`", "MaxCount": "`1`", "IamInstanceProfile": "{Name: properties.IamInstanceProfile}",
            "Monitoring": "{Enabled: properties.Monitoring}",
        }, "{ImageId: ImageId, InstanceType: InstanceType, SubnetId: SubnetId, SecurityGroupIds: SecurityGroupIds, UserData: UserData, "
           "BlockDeviceMappings: BlockDeviceMappings, MetadataOptions: MetadataOptions, DisableApiTermination: DisableApiTermination, "
           "EbsOptimized: EbsOptimized, LaunchTemplate: LaunchTemplate, "
           "TagSpecifications: Tags && [{ResourceType: 'instance', Tags: Tags}]}"),
        id="response.Instances[0].InstanceId",
        attributes={"InstanceId": "id", "PrivateIp": "response.Instances[0].PrivateIpAddress"},
        then=[_of_launch_template],
        delete=[
            Call("modify_instance_attribute", {"InstanceId": "id", "DisableApiTermination": "{Value: `false`}"}),
            Call("terminate_instances", {"InstanceIds": "[id]"}),
        ],
    ),
    Kind("Custom::VpcRestrictDefaultSG", EC2, _close_default_group, id="name"),
)
