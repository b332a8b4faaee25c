package emulate_test

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"padron/infra/config"
	"padron/infra/synthtest"
)

// newConsumer is who may call the API after the change.
var newConsumer = config.Consumer{Name: "billing", CIDR: "10.77.0.0/16", Via: "transit"}

// release is the change that happens most: a new image of customers-mngr; and
// with it the one that opens a way in: another consumer.
func release(env *config.Environment) {
	env.Images.Manager = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("another image")))
	env.Consumers = append(env.Consumers, newConsumer)
}

// unprotect is what comes before an environment is taken down for good.
func unprotect(env *config.Environment) {
	release(env)
	env.Protected = false
}

// update brings the environment to its changed configuration, stack by stack
// where the template is another.
func (d *deployed) update(t *testing.T, name string, change func(*config.Environment)) {
	t.Helper()
	next := synthtest.Variant(t, d.env.Name, name, change)
	d.env = synthtest.Config(t, d.env.Name)
	change(d.env)
	for _, stack := range next.Stacks {
		if old := d.assembly.Stack(stack.Name); old != nil && reflect.DeepEqual(old.Template, stack.Template) {
			continue
		}
		if err := d.Update(t.Context(), stack); err != nil {
			t.Fatal(err)
		}
	}
	d.assembly = next
}

// release updates, and sees that what was to change did, and nothing else.
func (d *deployed) release(t *testing.T) {
	before := d.inventory(t)
	d.update(t, "release", release)
	added, removed, changed := d.inventory(t).since(before)
	if diff := cmp.Diff(map[string]int{"task": 1}, kinds(added)); diff != "" {
		t.Errorf("what is new (-want +got):\n%s%v", diff, added)
	}
	if diff := cmp.Diff(map[string]int{"task": 1}, kinds(removed)); diff != "" {
		t.Errorf("what is gone (-want +got):\n%s%v", diff, removed)
	}
	want := map[string]int{"service": 1, "security group": 1, "access list": 1}
	if d.env.Features.TransitGateway {
		want["route table"] = len(d.env.Network.Private)
	}
	if diff := cmp.Diff(want, kinds(changed)); diff != "" {
		t.Errorf("what is otherwise (-want +got):\n%s%v", diff, changed)
	}
	d.consumerArrived(t)
}

// consumerArrived finds the new consumer in the load balancer's group, in the
// private subnets' access list and, where there is one, on the way back to the
// transit gateway.
func (d *deployed) consumerArrived(t *testing.T) {
	t.Helper()
	client := d.in(d.env.Region).ec2
	groups := must(client.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: d.balancer(t).SecurityGroups}))(t)
	if !slices.ContainsFunc(groups.SecurityGroups[0].IpPermissions, func(p types.IpPermission) bool {
		return *p.FromPort == 443 && *p.ToPort == 443 && slices.ContainsFunc(p.IpRanges, func(r types.IpRange) bool { return str(r.CidrIp) == newConsumer.CIDR })
	}) {
		t.Errorf("the load balancer's group does not let %s in", newConsumer.CIDR)
	}
	lists := must(client.DescribeNetworkAcls(t.Context(), &ec2.DescribeNetworkAclsInput{
		Filters: named("association.subnet-id", d.privateSubnets(t)[0]),
	}))(t).NetworkAcls
	lines := 0
	for _, e := range lists[0].Entries {
		if str(e.CidrBlock) == newConsumer.CIDR {
			lines++
		}
	}
	same(t, "the lines of the access list for "+newConsumer.CIDR, lines, 2)
}

// destroy takes the protection off where there is some, deletes the stacks, the
// last first, and sees that nothing stays but what is meant to.
func (d *deployed) destroy(t *testing.T) {
	if d.env.Protected {
		d.update(t, "unprotected", unprotect)
	}
	for _, stack := range slices.Backward(d.assembly.Stacks) {
		if err := d.Delete(t.Context(), stack); err != nil {
			t.Fatal(err)
		}
	}
	added, removed, _ := d.inventory(t).since(d.empty)
	if len(removed) > 0 {
		t.Errorf("more is gone than was made: %v", removed)
	}
	left := kinds(added)
	t.Logf("left, as the templates say: %v", left)
	if diff := cmp.Diff(d.retained(), left); diff != "" {
		t.Errorf("what is left (-want +got):\n%s%v", diff, added)
	}
}

// retained counts what the templates keep when their stacks are deleted: keys,
// without which no backup can be read, and the database's last snapshot.
func (d *deployed) retained() map[string]int {
	kept := map[string]string{
		"AWS::KMS::Key": "key", "AWS::KMS::ReplicaKey": "key", "AWS::RDS::DBCluster": "snapshot",
	}
	count := map[string]int{}
	for _, r := range d.assembly.Resources() {
		if policy := r.Body["DeletionPolicy"]; policy == "Retain" || policy == "Snapshot" {
			kind, ok := kept[r.Type]
			if !ok {
				kind = r.Type
			}
			count[kind]++
		}
	}
	return count
}
