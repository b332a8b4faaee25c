package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Ports that something listens on.
const (
	portHTTPS    = 443
	portTask     = 8443
	portDatabase = 3306
)

// Groups are the security groups, all in one place: who may reach whom is read
// in [newGroups] alone.
type Groups struct {
	// Balancer is the internal load balancer's; Manager, Synchronizer and
	// Migration are the tasks'; Database is Aurora's; Bastion is the
	// instance's; Endpoints is the interface endpoints'.
	Balancer, Manager, Synchronizer, Migration, Database, Bastion, Endpoints awsec2.SecurityGroup
	// Link is the PrivateLink load balancer's; nil where private_link is off.
	Link awsec2.SecurityGroup
}

// newGroups makes the groups and every rule between them.
func newGroups(stack awscdk.Stack, vpc awsec2.Vpc, env *config.Environment) *Groups {
	group := func(id, what string) awsec2.SecurityGroup {
		return awsec2.NewSecurityGroup(stack, jsii.String(id+"Group"), &awsec2.SecurityGroupProps{
			Vpc: vpc, Description: jsii.String(what), AllowAllOutbound: jsii.Bool(false),
		})
	}
	g := &Groups{
		Balancer:     group("Balancer", "The internal load balancer"),
		Manager:      group("Manager", "Tasks of customers-mngr"),
		Synchronizer: group("Synchronizer", "Tasks of the synchronizer"),
		Migration:    group("Migration", "The database migration"),
		Database:     group("Database", "The database"),
		Bastion:      group("Bastion", "The bastion: nothing reaches it"),
		Endpoints:    group("Endpoints", "Interface endpoints"),
	}
	callers(g, env)
	if env.Features.PrivateLink {
		g.Link = group("Link", "PrivateLink: nothing reaches it but endpoints that were accepted")
		g.Link.AddEgressRule(g.Balancer, https(), jsii.String("the API"), jsii.Bool(false))
	}
	connect(g.Balancer, g.Manager, portTask, "the load balancer to its tasks")
	g.Bastion.AddEgressRule(g.Balancer, https(), jsii.String("the API"), jsii.Bool(false))
	for _, task := range []awsec2.SecurityGroup{g.Manager, g.Synchronizer, g.Migration} {
		connect(task, g.Database, portDatabase, "tasks to the database")
		if env.Features.GuardDuty && env.Features.InterfaceEndpoints {
			// Its agent beside each task reports to an endpoint that GuardDuty makes in
			// the VPC by itself, with a group of its own that is not known here.
			out(task, awsec2.Peer_Ipv4(jsii.String(env.Network.CIDR)), "GuardDuty's endpoint")
		}
	}
	for _, client := range []awsec2.SecurityGroup{g.Manager, g.Synchronizer, g.Migration, g.Bastion} {
		waysOut(client, g, env)
	}
	// The provider is on the Internet, behind the NAT gateways.
	out(g.Synchronizer, awsec2.Peer_AnyIpv4(), "the provider")
	return g
}

// callers lets in those who may call the API: the VPC, in which the bastion is,
// and the declared consumers. Nobody else.
func callers(g *Groups, env *config.Environment) {
	g.Balancer.AddIngressRule(awsec2.Peer_Ipv4(jsii.String(env.Network.CIDR)), https(), jsii.String("the VPC"), jsii.Bool(false))
	for _, c := range env.Consumers {
		g.Balancer.AddIngressRule(awsec2.Peer_Ipv4(jsii.String(c.CIDR)), https(),
			jsii.String("consumer "+c.Name), jsii.Bool(false))
	}
}

// connect lets one group reach another, and says so on both sides.
func connect(from, to awsec2.SecurityGroup, port int, what string) {
	p := awsec2.Port_Tcp(jsii.Number(port))
	to.AddIngressRule(from, p, jsii.String(what), jsii.Bool(false))
	from.AddEgressRule(to, p, jsii.String(what), jsii.Bool(false))
}

// waysOut lets a client reach AWS's own services: through the endpoints where
// there are some, else through the NAT gateways.
func waysOut(client awsec2.SecurityGroup, g *Groups, env *config.Environment) {
	if !env.Features.InterfaceEndpoints {
		out(client, awsec2.Peer_AnyIpv4(), "AWS services")
		return
	}
	connect(client, g.Endpoints, portHTTPS, "AWS services by endpoint")
	out(client, awsec2.Peer_PrefixList(jsii.String(config.S3PrefixLists[env.Region])), "image layers in S3")
}

func out(from awsec2.SecurityGroup, peer awsec2.IPeer, what string) {
	from.AddEgressRule(peer, https(), jsii.String(what+", by HTTPS"), jsii.Bool(false))
}

func https() awsec2.Port { return awsec2.Port_Tcp(jsii.Number(portHTTPS)) }
