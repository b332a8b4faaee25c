// Package elements lists everything that the architecture asks for in AWS, with
// the line that makes it and what proves it. The list is a section of
// docs/architecture.md, with lines that are looked up and proofs that exist.
package elements

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Element is one thing that the architecture names.
type Element struct {
	Name string
	// File is below infra, and Construct is a text that stands in one of its
	// lines and makes the element.
	File, Construct string
	// Types are the resources that the production templates must have.
	Types []string
	// Proofs are controls, by id, and tests, as package.TestName.
	Proofs []string
}

// All returns the elements in the order of the architecture's own description.
func All() []Element {
	var all []Element
	for _, part := range [][]Element{network, core, around, safety, delivery} {
		all = append(all, part...)
	}
	return all
}

var network = []Element{
	{"One account, region Virginia (us-east-1), zones A and B", "config/prod.yaml", "zones: [us-east-1a, us-east-1b]",
		[]string{"AWS::EC2::Subnet"}, []string{"network.address-plan", "config.TestEnvironmentsAreValid"}},
	{"VPC 10.0.0.0/24", "config/prod.yaml", "cidr: 10.0.0.0/24", []string{"AWS::EC2::VPC"}, []string{"network.address-plan"}},
	{"Public subnets 10.0.0.0/26 (A) and 10.0.0.64/26 (B)", "config/prod.yaml", "public: [10.0.0.0/26, 10.0.0.64/26]",
		[]string{"AWS::EC2::Subnet"}, []string{"network.address-plan", "reach.public-holds-nat", "network.no-public-addresses"}},
	{"Private subnets 10.0.0.128/26 (A) and 10.0.0.192/26 (B)", "config/prod.yaml", "private: [10.0.0.128/26, 10.0.0.192/26]",
		[]string{"AWS::EC2::Subnet"}, []string{"network.address-plan", "reach.nothing-from-internet"}},
	{"Internet gateway", "estate/network.go", "awsec2.SubnetType_PUBLIC, MapPublicIpOnLaunch", []string{"AWS::EC2::InternetGateway", "AWS::EC2::VPCGatewayAttachment"},
		[]string{"reach.nothing-from-internet", "reach.public-holds-nat"}},
	{"Two NAT gateways, one in each public subnet", "config/prod.yaml", "nats: 2", []string{"AWS::EC2::NatGateway"}, []string{"reach.routes-by-zone", "reach.public-holds-nat"}},
	{"Elastic IPs of the NAT gateways", "estate/network.go", "NatGateways:", []string{"AWS::EC2::EIP"}, []string{"network.nat-fixed-address"}},
	{"Private route tables, one a zone, each to its own zone's NAT gateway", "estate/network.go", "awsec2.SubnetType_PRIVATE_WITH_EGRESS}",
		[]string{"AWS::EC2::RouteTable", "AWS::EC2::Route"}, []string{"network.table-each", "reach.routes-by-zone"}},
	{"Public route tables, one a zone, to the Internet gateway", "estate/network.go", "SubnetConfiguration:",
		[]string{"AWS::EC2::RouteTable", "AWS::EC2::Route"}, []string{"network.table-each", "reach.public-holds-nat"}},
}

var core = []Element{
	{"Application Load Balancer, internal, over both private subnets", "estate/edge.go", "elb.NewApplicationLoadBalancer(",
		[]string{"AWS::ElasticLoadBalancingV2::LoadBalancer"}, []string{"edge.internal", "edge.https-only", "reach.balancer-sources", "estate.TestBalancer"}},
	{"ECS cluster", "estate/tasks.go", "awsecs.NewCluster(", []string{"AWS::ECS::Cluster"}, []string{"services.measured", "services.no-exec"}},
	{"Micro-service `customers-mngr`, replicas in both zones", "estate/manager.go", "awsecs.NewCfnService(",
		[]string{"AWS::ECS::Service", "AWS::ECS::TaskDefinition"}, []string{"services.zones", "services.scaled", "services.health-checked"}},
	{"Micro-service `synchronizer`, on its schedule", "estate/synchronizer.go", "awsscheduler.NewCfnSchedule(",
		[]string{"AWS::Scheduler::Schedule", "AWS::ECS::TaskDefinition"}, []string{"services.starts-one-task", "services.starts-kept", "reach.works"}},
	{"The provider's API, reached by the NAT gateways", "estate/groups.go", `"the provider"`, []string{"AWS::EC2::SecurityGroup"},
		[]string{"network.groups-few-ways-out", "data.provider-key-synchronizes-only", "reach.works"}},
	{"RDS: Aurora Serverless v2, MySQL, writer and reader in different zones", "estate/data.go", "awsrds.NewDatabaseCluster(",
		[]string{"AWS::RDS::DBCluster", "AWS::RDS::DBInstance"}, []string{"data.two-zones", "data.private", "reach.database-sources", "estate.TestDatabase"}},
}

var around = []Element{
	{"Route 53: the load balancer's own domain", "estate/edge.go", "awsroute53.NewARecord(", []string{"AWS::Route53::HostedZone", "AWS::Route53::RecordSet"},
		[]string{"names.private", "estate.TestName"}},
	{"Route 53: validation of the certificate by DNS", "estate/edge.go", "CertificateValidation_FromDns(", []string{"AWS::Route53::HostedZone"},
		[]string{"edge.certified", "estate.TestCertificateIsProvenPublicly"}},
	{"Certificate Manager: the load balancer's certificate", "estate/edge.go", "awscertificatemanager.NewCertificate(",
		[]string{"AWS::CertificateManager::Certificate"}, []string{"edge.certified", "edge.tls13"}},
	{"KMS: RDS encrypted with a key of its own", "estate/data.go", "StorageEncryptionKey:", []string{"AWS::KMS::Key"}, []string{"data.encrypted", "keys.rotated"}},
	{"KMS: Secrets Manager encrypted with a key of its own", "estate/data.go", "EncryptionKey: keys.Secrets", []string{"AWS::KMS::Key"},
		[]string{"data.secrets-encrypted", "data.admin-password-rotated", "keys.rotated"}},
	{"Secrets Manager: the administrator's credentials", "estate/data.go", "ManageMasterUserPassword:", []string{"AWS::RDS::DBCluster"},
		[]string{"data.admin-password-rotated", "data.admin-migrates-only"}},
	{"ECR: the images of both micro-services", "estate/registry.go", "awsecr.NewRepository(", []string{"AWS::ECR::Repository"},
		[]string{"registry.immutable", "registry.own-image-only", "estate.TestRepositories"}},
	{"ECR: images scanned for vulnerabilities", "estate/registry.go", "NewCfnRegistryScanningConfiguration(", []string{"AWS::ECR::RegistryScanningConfiguration"},
		[]string{"registry.scanned-on-push", "registry.scanned-continuously"}},
	{"EC2: the bastion, for tests from inside", "estate/bastion.go", "awsec2.NewCfnInstance(", []string{"AWS::EC2::Instance"},
		[]string{"bastion.no-way-in", "reach.bastion-closed", "reach.bastion-no-database"}},
}

var safety = []Element{
	{"Consumers: other accounts' VPCs and the data centre", "estate/groups.go", `jsii.String("consumer "+c.Name)`, []string{"AWS::EC2::SecurityGroup"},
		[]string{"reach.balancer-sources", "reach.nobody-private", "estate.TestSourcesAreDeclared"}},
	{"Transit Gateway", "estate/transit.go", "awsec2.NewCfnTransitGateway(", []string{"AWS::EC2::TransitGateway", "AWS::EC2::TransitGatewayVpcAttachment"},
		[]string{"transit.nobody-unasked", "transit.routes-declared"}},
	{"VPN to the data centre", "estate/transit.go", "awsec2.NewCfnVPNConnection(", []string{"AWS::EC2::VPNConnection", "AWS::EC2::CustomerGateway"},
		[]string{"transit.vpn-strong", "transit.vpn-logged"}},
	{"CloudTrail: every event of the account", "estate/trail.go", "awscloudtrail.NewCfnTrail(", []string{"AWS::CloudTrail::Trail"},
		[]string{"audit.trail-everywhere", "audit.trail-validated", "audit.trail-locked"}},
	{"CloudTrail handed over to a SIEM", "estate/trail.go", "awssqs.NewQueue(", []string{"AWS::SQS::Queue"}, []string{"audit.trail-handed-over"}},
	{"GuardDuty over CloudTrail, flow logs and DNS", "estate/detect.go", "awsguardduty.NewCfnDetector(", []string{"AWS::GuardDuty::Detector", "AWS::EC2::FlowLog"},
		[]string{"audit.threats", "audit.threats-told", "network.flow-logs", "network.dns-logged"}},
	{"Backup: restore points with an RPO", "estate/backup.go", "awsbackup.NewCfnBackupPlan(", []string{"AWS::Backup::BackupPlan", "AWS::Backup::BackupVault"},
		[]string{"backup.planned", "backup.restore-tested", "recovery.TestPromises"}},
	{"Backup: backups that ransomware cannot delete", "estate/backup.go", "NewCfnLogicallyAirGappedBackupVault(", []string{"AWS::Backup::LogicallyAirGappedBackupVault"},
		[]string{"backup.nobody-deletes", "backup.locked", "backup.air-gapped"}},
	{"Backup: copies in another region", "estate/backup.go", "CfnBackupPlan_CopyActionResourceTypeProperty{", []string{"AWS::KMS::ReplicaKey"},
		[]string{"backup.copied-away", "estate.TestCopiesStandElsewhere"}},
	{"CloudGuard: a third party reads the account's posture", "estate/audit.go", `"sts:ExternalId"`, []string{"AWS::IAM::Role"}, []string{"audit.posture-by-external-id"}},
}

var delivery = []Element{
	{"GitHub Actions, by OIDC", "estate/delivery.go", "awsiam.NewCfnOIDCProvider(", []string{"AWS::IAM::OIDCProvider"},
		[]string{"delivery.exact-subject", "delivery.exact-audience", "delivery.no-keys"}},
	{"Delivery, first phase: review what would change", "estate/delivery.go", `role(config.PlanRole`, []string{"AWS::IAM::Role"}, []string{"delivery.plan-changes-nothing"}},
	{"Delivery, second phase: apply what was reviewed", "estate/delivery.go", `role(config.DeployRole`, []string{"AWS::IAM::Role"},
		[]string{"delivery.deploys-what-was-reviewed", "delivery.role-for-cloudformation", "delivery.migrates-only"}},
}

// Line returns the line, from 1, in which the construct stands in the file
// below root, the folder infra. It is an error for it to stand nowhere.
func (e Element) Line(root string) (int, error) {
	text, err := os.ReadFile(filepath.Join(root, e.File)) //nolint:gosec // a source of ours
	if err != nil {
		return 0, err
	}
	before, _, found := strings.Cut(string(text), e.Construct)
	if !found {
		return 0, fmt.Errorf("%q: %s does not hold %s; say in infra/elements which line makes it now", e.Name, e.File, e.Construct)
	}
	return strings.Count(before, "\n") + 1, nil
}
