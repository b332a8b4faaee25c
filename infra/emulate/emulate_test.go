package emulate_test

import (
	"testing"

	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/emulate"
	"padron/infra/synthtest"
)

// stubLimit is the share of resources that may exist in name only.
const stubLimit = 0.25

// deployed is an environment that stands in an emulated account.
type deployed struct {
	*emulate.Account
	env      *config.Environment
	assembly *cfn.Assembly
	// empty is what stood in the account before.
	empty inventory
}

// TestEstate deploys each environment, asks the questions of an auditor, changes
// it and takes it down again.
func TestEstate(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t, name)
			if t.Failed() {
				return
			}
			t.Run("count", d.count)
			t.Run("audit", d.audit)
			t.Run("release", d.release)
			t.Run("audit of the release", d.audit)
			t.Run("tampering", d.tamper)
			t.Run("destroy", d.destroy)
		})
	}
}

// deploy creates every stack of the environment in a new account.
func deploy(t *testing.T, name string) *deployed {
	t.Helper()
	d := &deployed{env: synthtest.Config(t, name), assembly: synthtest.Load(t, name)}
	d.Account = account(t, d.env.Account)
	if err := d.Bootstrap(t.Context(), d.assembly); err != nil {
		t.Fatal(err)
	}
	d.empty = d.inventory(t)
	for _, stack := range d.assembly.Stacks {
		if err := d.Create(t.Context(), stack); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// question is what an auditor asks AWS's own API, to compare it with what the
// configuration says, not with the templates.
type question struct {
	what string
	ask  func(testing.TB)
}

func (d *deployed) questions() []question {
	return []question{
		{"subnets", d.auditSubnets}, {"routes", d.auditRoutes}, {"nats", d.auditNATs},
		{"connections", d.auditConnections}, {"bastion", d.auditBastion},
		{"cluster", d.auditCluster}, {"instances", d.auditInstances}, {"secrets", d.auditSecrets}, {"registry", d.auditRegistry},
		{"keys", d.auditKeys}, {"customers key", d.auditCustomersKey}, {"roles", d.auditRoles},
		{"balancer", d.auditBalancer}, {"listener", d.auditListener}, {"targets", d.auditTargets}, {"names", d.auditNames},
		{"tasks", d.auditTasks}, {"service", d.auditService}, {"schedule", d.auditSchedule},
		{"buckets", d.auditBuckets}, {"logs", d.auditLogs}, {"trail", d.auditTrail}, {"backups", d.auditBackups},
	}
}

// audit asks every question.
func (d *deployed) audit(t *testing.T) {
	for _, q := range d.questions() {
		t.Run(q.what, func(t *testing.T) { q.ask(t) })
	}
}

// count keeps the emulation honest: it is worth little if most is in name only.
func (d *deployed) count(t *testing.T) {
	counts := d.Count(d.assembly)
	counts = append(counts, emulate.Sum(counts))
	for _, c := range counts {
		t.Logf("%-14s %3d resources: %3d by moto, %3d by the extension on moto, %2d stubs: %s",
			c.Stack, c.Total(), c.Moto, c.Extended, c.Stubbed(), c.Names())
	}
	if sum := counts[len(counts)-1]; float64(sum.Stubbed()) >= stubLimit*float64(sum.Total()) {
		t.Errorf("%d of %d resources are stubs, and fewer than %.0f %% may be: %s",
			sum.Stubbed(), sum.Total(), 100*stubLimit, sum.Names())
	}
}
