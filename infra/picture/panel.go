package picture

import (
	"slices"

	"padron/infra/cfn"
)

// card is one service of the region, drawn where the templates have a resource
// of its types that which, if there is one, accepts.
type card struct {
	id, look, icon, label string
	types                 []string
	which                 func(*plan, *cfn.Resource) bool
	lines                 func(*plan, []*cfn.Resource) []string
}

// shelf is a titled group of cards.
type shelf struct {
	id, label string
	cards     []card
}

// global are the account's services that belong to no region.
var global = []shelf{
	{"access", "Access (global)", []card{
		{id: "deploy", look: "security", icon: "person", label: "Delivery roles", types: []string{"AWS::IAM::Role"}, which: byGitHub, lines: say("by OIDC, no key")},
		{id: "posture", look: "security", icon: "eye", label: "Posture role", types: []string{"AWS::IAM::Role"}, which: byExternalID, lines: posture},
	}},
	{"names", "Names (global)", []card{
		{id: "private-zone", look: "network", icon: "route", label: "Route 53", types: []string{"AWS::Route53::HostedZone"}, which: private, lines: zoneNames("private zone")},
		{id: "public-zone", look: "network", icon: "globe", label: "Route 53", types: []string{"AWS::Route53::HostedZone"}, which: public, lines: zoneNames("public zone")},
	}},
	{"money", "Money (global)", []card{
		{id: "budget", look: "manage", icon: "coin", label: "Budget", types: []string{"AWS::Budgets::Budget"}, lines: budgets},
		{id: "anomaly", look: "manage", icon: "chart", label: "Cost anomaly", types: []string{"AWS::CE::AnomalyMonitor"}},
	}},
}

// regional are the shelves of the panel, from the top down.
var regional = []shelf{
	{"recovery", "Backup and recovery", []card{
		{id: "backup", look: "storage", icon: "archive", label: "AWS Backup", types: []string{"AWS::Backup::BackupPlan", "AWS::Backup::BackupVault"}, lines: vaults},
		{id: "air-gapped", look: "storage", icon: "lock", label: "Air-gapped vault", types: []string{"AWS::Backup::LogicallyAirGappedBackupVault"}},
		{id: "restore-test", look: "storage", icon: "check", label: "Restore test", types: []string{"AWS::Backup::RestoreTestingPlan"}, lines: weekly},
	}},
	{"edge", "Edge", []card{
		{id: "certificate", look: "security", icon: "cert", label: "Certificate Manager", types: []string{"AWS::CertificateManager::Certificate"}},
		{id: "waf", look: "security", icon: "wall", label: "AWS WAF", types: []string{"AWS::WAFv2::WebACL"}, lines: webRules},
		{id: "dns-firewall", look: "security", icon: "shield", label: "DNS Firewall", types: []string{"AWS::Route53Resolver::FirewallRuleGroup"}},
	}},
	{"running", "Containers and runs", []card{
		{id: "scheduler", look: "integration", icon: "calendar", label: "EventBridge Scheduler", types: []string{"AWS::Scheduler::Schedule"}, lines: schedules},
		{id: "steps", look: "integration", icon: "steps", label: "Step Functions", types: []string{"AWS::StepFunctions::StateMachine"}, lines: divided},
		{id: "cluster", look: "compute", icon: "server", label: "ECS cluster", types: []string{"AWS::ECS::Cluster"}, lines: platform},
		{id: "migration", look: "compute", icon: "container", label: "Migration task", types: []string{"AWS::ECS::TaskDefinition"}, which: migrates, lines: say("run by a release")},
		{id: "registry", look: "compute", icon: "archive", label: "ECR", types: []string{"AWS::ECR::Repository"}, lines: repositories},
		{id: "dead-letters", look: "integration", icon: "queue", label: "SQS", types: []string{"AWS::SQS::Queue"}, lines: counted("%d queues")},
	}},
	{"keys", "Keys and secrets", []card{
		{id: "kms", look: "security", icon: "key", label: "KMS", types: []string{"AWS::KMS::Key"}, lines: keys},
		{id: "secrets", look: "security", icon: "lock", label: "Secrets Manager", types: []string{"AWS::SecretsManager::Secret", "AWS::RDS::DBCluster"}, which: secret, lines: secrets},
	}},
	{"audit", "Audit and detection", []card{
		{id: "trail", look: "manage", icon: "camera", label: "CloudTrail", types: []string{"AWS::CloudTrail::Trail"}, lines: regions},
		{id: "guardduty", look: "security", icon: "eye", label: "GuardDuty", types: []string{"AWS::GuardDuty::Detector"}},
		{id: "security-hub", look: "security", icon: "check", label: "Security Hub", types: []string{"AWS::SecurityHub::Hub"}},
		{id: "config", look: "manage", icon: "steps", label: "AWS Config", types: []string{"AWS::Config::ConfigurationRecorder"}},
		{id: "buckets", look: "storage", icon: "bucket", label: "S3", types: []string{"AWS::S3::Bucket"}, lines: counted("%d buckets of logs")},
		{id: "flow-logs", look: "network", icon: "camera", label: "VPC flow logs", types: []string{"AWS::EC2::FlowLog"}},
	}},
	{"operations", "Operations", []card{
		{id: "alarms", look: "manage", icon: "bell", label: "CloudWatch", types: []string{"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}, lines: counted("%d alarms")},
		{id: "logs", look: "manage", icon: "chart", label: "CloudWatch Logs", types: []string{"AWS::Logs::LogGroup"}, lines: counted("%d groups")},
		{id: "topics", look: "integration", icon: "bell", label: "SNS", types: []string{"AWS::SNS::Topic"}, lines: counted("%d topics")},
	}},
}

// copies are what the second region holds.
var copies = []card{
	{id: "copy-vault", look: "storage", icon: "archive", label: "Vault of copies", types: []string{"AWS::Backup::BackupVault"}},
	{id: "copy-key", look: "security", icon: "key", label: "KMS replica", types: []string{"AWS::KMS::ReplicaKey"}},
}

// stock returns the box of the card, nil where the templates, in the region,
// have nothing of it.
func (p *plan) stock(c card, region string) *Box {
	found := slices.DeleteFunc(p.Resources(c.types...), func(r *cfn.Resource) bool {
		return r.Stack.Region != region || c.which != nil && !c.which(p, r)
	})
	if len(found) == 0 {
		return nil
	}
	var lines []string
	if c.lines != nil {
		lines = c.lines(p, found)
	}
	return p.node(c.id, c.look, c.icon, p.words.t(c.label), lines, found...)
}

// fill lays the cards in rows of columns, in a frame at x and y, and returns
// the frame; nil where there is no card.
func (p *plan) fill(parent *Box, id, label string, cards []*Box, x, y, cardW float64, columns int) *Box {
	cards = slices.DeleteFunc(cards, func(b *Box) bool { return b == nil })
	if len(cards) == 0 {
		return nil
	}
	frame := &Box{ID: id, Look: "shelf", Label: label}
	p.place(parent, frame, x, y, 0, 0)
	for i, c := range cards {
		frame.From = append(frame.From, c.From...)
		p.place(frame, c, x+gap+float64(i%columns)*(cardW+gap), y+heading-2+float64(i/columns)*(cardH+gap), cardW, cardH)
	}
	rows := (len(cards) + columns - 1) / columns
	frame.W = gap + float64(min(columns, len(cards)))*(cardW+gap)
	frame.H = heading - 2 + float64(rows)*(cardH+gap)
	return frame
}

// layPanel lays the region's services beside the VPC.
func (p *plan) layPanel() {
	y := vpcY
	for _, s := range regional {
		var cards []*Box
		for _, c := range s.cards {
			cards = append(cards, p.stock(c, p.vpc.Stack.Region))
		}
		if frame := p.fill(p.region, s.id, p.words.t(s.label), cards, panelX, y, cardW, panelCol); frame != nil {
			frame.W = 2*gap + panelCol*cardW + (panelCol-1)*gap
			y = frame.bottom() + gap
		}
	}
}

// layStrip lays what is above the region: what belongs to no region, and the
// region of the copies.
func (p *plan) layStrip() {
	x := regionX
	for _, s := range global {
		var cards []*Box
		for _, c := range s.cards {
			cards = append(cards, p.stock(c, p.vpc.Stack.Region))
		}
		if frame := p.fill(p.account, s.id, p.words.t(s.label), cards, x, stripY, stripW, len(s.cards)); frame != nil {
			x = frame.right() + 12
		}
	}
	p.layCopies()
}

func (p *plan) layCopies() {
	for _, s := range p.Stacks {
		if s.Region == p.vpc.Stack.Region || s.Region == "" {
			continue
		}
		var cards []*Box
		for _, c := range copies {
			cards = append(cards, p.stock(c, s.Region))
		}
		if frame := p.fill(p.account, "copies", p.words.f("Region %s: copies", s.Region), cards, panelX, stripY, cardW, len(copies)); frame != nil {
			frame.Look = "region"
		}
		return
	}
}
