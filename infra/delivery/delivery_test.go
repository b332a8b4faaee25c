package delivery

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/synthtest"
)

// opening is the change of the pull request: another consumer may call, and one
// more task runs.
func opening(env *config.Environment) {
	env.Consumers = append(env.Consumers, config.Consumer{Name: "billing", CIDR: "10.77.0.0/16", Via: "transit"})
	env.Manager.MinTasks = 2
	env.Manager.MaxTasks = max(env.Manager.MaxTasks, 4)
}

// TestDelivery plays the whole story in one account: the first deployment; a pull
// request that lets another consumer in, its review, what is refused between the
// review and the apply, and the apply; an image that is stopped at the gate, a
// good one, and its way through a plan to what runs; a migration that fails;
// drift made by hand; the way back by a record.
//
// The account is moto with this project's extension. Stand-ins are, and are no
// others: the registry that takes the images is go-containerregistry's, and the
// account's has their records; what a scan found is given to moto (package
// releasetest); the end of a service's deployment, and its tasks, are answered at
// the edge (edge.Service), for moto deploys nothing; images are signed with a key,
// and not as a workflow. Nothing runs in a container: the task of a migration
// succeeds, unless its command is false.
func TestDelivery(t *testing.T) {
	s := begin(t)
	first := commit{"first", synthtest.Config(t, "dev"), synthtest.Load(t, "dev")}
	second := commit{"second", synthtest.Config(t, "dev"), synthtest.Variant(t, "dev", "delivery", opening)}
	opening(second.env)
	var third commit // is made of the images that pass the gate
	s.firstDay(first, "services", "observability")
	for _, chapter := range []struct {
		name string
		play func(*story)
	}{
		{"stacks that wait", func(s *story) { s.waves(first) }},
		{"nothing to do", func(s *story) { s.nothing(first) }},
		{"review", func(s *story) { s.review(second) }},
		{"refusals", func(s *story) { s.refusals(second) }},
		{"broken", func(s *story) { s.broken(first) }},
		{"apply", func(s *story) { s.open(second) }},
		{"gate", func(s *story) { s.stopped(second) }},
		{"release", func(s *story) { third = s.released(second) }},
		{"arrival", func(s *story) { s.arrives(third) }},
		{"migration", func(s *story) { s.migration(third) }},
		{"drift", func(s *story) { s.drift(third) }},
		{"rollback", func(s *story) { s.rollback(first) }},
		{"stateful", func(s *story) { s.stateful(first) }},
	} {
		if !t.Run(chapter.name, func(t *testing.T) { chapter.play(s.in(t)) }) {
			return
		}
	}
}

// waves brings the stacks that are not there yet: the second needs what the
// first exports, so it is planned when that is there.
func (s *story) waves(c commit) {
	plan := s.plan(c)
	if got, want := states(plan.Record, "services", "observability", "network"), "new waiting unchanged"; got != want {
		s.Errorf("the first plan: %s, want %s", got, want)
	}
	s.again(c, plan)
	_, err := s.of(c).Apply(s.Context(), plan.Record, nil)
	if waiting, ok := errors.AsType[StillWaiting](err); !ok || !slices.Equal(waiting, []string{"observability"}) {
		s.Fatalf("with a stack that waits: %v", err)
	}
	plan = s.plan(c)
	if got, want := states(plan.Record, "services", "observability", "network"), "unchanged new unchanged"; got != want {
		s.Errorf("the second plan: %s, want %s", got, want)
	}
	release := s.apply(c, plan)
	if release.Revision != 1 || release.Record != plan.Record.SHA256 || len(release.Stacks) != len(c.templates.Stacks) {
		s.Errorf("the first release: %+v", release)
	}
}

// nothing plans what runs already.
func (s *story) nothing(c commit) {
	plan := s.plan(c)
	if got := touched(plan.Record); len(got) > 0 {
		s.Errorf("changes of what runs already: %v", got)
	}
	if want := "**0 of 15 stacks change**"; !strings.Contains(plan.Review, want) {
		s.Errorf("the review does not say %q:\n%s", want, plan.Review)
	}
}

// review reads what a person sees of the change.
func (s *story) review(c commit) {
	plan := s.plan(c)
	if diff := cmp.Diff([]string{"network", "services", "observability"}, touched(plan.Record)); diff != "" {
		s.Errorf("what changes (-want +got):\n%s", diff)
	}
	for _, want := range []string{
		"**3 of 15 stacks change** (0 of them new), with 5 resources, of which **0 are replaced**",
		"@@ network/BalancerGroup @@\n+ lets in from 10.77.0.0/16 on tcp 443 (consumer billing)",
		"+ line 200 lets out to 10.77.0.0/16 on tcp 1024 to 65535",
		"+ consumer billing -> BalancerGroup tcp/443: let in, and stopped on the way (was: no)",
		"| `services/Manager` | ECS::Service | 7.21 | 14.42 | +7.21 |",
		"## Rights\n\nNothing changes.",
		" are as before.\n\n## Findings",
		"- The proofs found nothing.",
		"The record's hash is `" + plan.Record.SHA256 + "`",
	} {
		if !strings.Contains(plan.Review, want) {
			s.Errorf("the review does not say %q", want)
		}
	}
	s.again(c, plan)
	if s.Failed() {
		s.Log(plan.Review)
	}
}

// refusals tries to apply everything but what was reviewed.
func (s *story) refusals(c commit) {
	plan := s.plan(c)
	s.tampered(c, plan.Record)
	s.swapped(c, plan.Record)
	s.forgeries(c, plan.Record)
	s.unapproved(c, plan.Record)
	s.poisoned(c, plan.Record)
	s.overridden(c)
	s.taken(c)
}

// tampered changes the record, the templates, the commit, an asset.
func (s *story) tampered(c commit, record *Record) {
	forged := *record
	forged.Created = forged.Created.Add(1)
	s.refuses(s.of(c), &forged, nil, "its own hash does not hold")

	other := s.edited(c, c.name, func(a *cfn.Assembly) { a.Stack("services").Template["Description"] = "forged" })
	s.refuses(s.of(other), record, nil, "nothing was changed", "the template of stack services is not the reviewed one")

	later := s.of(c)
	later.Source.Commit, later.Source.Tree = "4444444444444444444444444444444444444444", "4"
	s.refuses(later, record, nil, "was reviewed and the checkout is 444444444444, which has other files")

	elsewhere := s.of(c)
	env := *c.env
	env.Account = "999900001111"
	elsewhere.Env = &env
	s.refuses(elsewhere, record, nil, "the record is of environment dev (111122223333, us-east-1), and this is dev (999900001111, us-east-1)")

	client, at := objects(s.account.Config(c.env.Region)), record.Assets[0]
	was, err := read(s.Context(), client, at.Bucket, at.Key)
	if err != nil {
		s.Fatal(err)
	}
	for _, step := range []struct {
		content []byte
		then    func()
	}{
		{[]byte("forged"), func() {
			s.refuses(s.of(c), record, nil, at.at()+" is not what was reviewed")
			if _, err := s.of(c).upload(s.Context()); err == nil || !strings.Contains(err.Error(), "is not what the commit holds") {
				s.Errorf("an asset that is there and is another: %v", err)
			}
		}},
		{was, func() {}},
	} {
		if _, err := client.PutObject(s.Context(), &s3.PutObjectInput{Bucket: &at.Bucket, Key: &at.Key, Body: bytes.NewReader(step.content)}); err != nil {
			s.Fatal(err)
		}
		step.then()
	}
}

// swapped gives the record, sealed again by somebody who can, another change
// set of the same stack.
func (s *story) swapped(c commit, record *Record) {
	evil := s.edited(c, "evil", func(a *cfn.Assembly) { delete(a.Stack("services").Template, "Outputs") })
	forged := *record
	forged.Stacks = slices.Clone(record.Stacks)
	for i, stack := range forged.Stacks {
		if stack.Name == "services" {
			theirs := s.plan(evil).Record.Stacks[i]
			forged.Stacks[i].ChangeSet = theirs.ChangeSet
			forged.Seal()
			s.refuses(s.of(c), &forged, nil, "stack services: its change set is made of another template than the reviewed one")
			forged.Stacks[i].ChangeSet = changeSetOf(record, "network")
			forged.Seal()
			s.refuses(s.of(c), &forged, nil, "stack services: the recorded change set is of another stack")
			forged.Stacks[i].Changes, forged.Stacks[i].ChangeSet = nil, stack.ChangeSet
			forged.Seal()
			s.refuses(s.of(c), &forged, nil, "stack services: its change set does not describe what was reviewed")
		}
	}
}

// taken deletes a reviewed change set, and executes one, behind the program's
// back.
func (s *story) taken(c commit) {
	client := cloudformation.NewFromConfig(s.account.Config(c.env.Region))
	plan := s.plan(c)
	if _, err := client.DeleteChangeSet(s.Context(), &cloudformation.DeleteChangeSetInput{ChangeSetName: aws.String(changeSetOf(plan.Record, "services"))}); err != nil {
		s.Fatal(err)
	}
	s.refuses(s.of(c), plan.Record, nil, "stack services: its change set is gone", "plan again")

	plan = s.plan(c)
	if _, err := client.ExecuteChangeSet(s.Context(), &cloudformation.ExecuteChangeSetInput{ChangeSetName: aws.String(changeSetOf(plan.Record, "network"))}); err != nil {
		s.Fatal(err)
	}
	s.refuses(s.of(c), plan.Record, nil, "stack network: it changed since this was planned, last on")
	plan = s.plan(c)
	if !strings.Contains(plan.Review, "Stack network is not as release 1 left it") {
		s.Errorf("the review does not say that the network was changed otherwise:\n%s", plan.Review)
	}
}

// broken deploys something that CloudFormation cannot make: the stack rolls
// back, and the stacks after it are not touched.
func (s *story) broken(c commit) {
	name := c.env.Prefix() + "-taken"
	logs := cloudwatchlogs.NewFromConfig(s.account.Config(c.env.Region))
	if _, err := logs.CreateLogGroup(s.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name}); err != nil {
		s.Fatal(err)
	}
	wrong := s.edited(c, "wrong", func(a *cfn.Assembly) {
		a.Stack("services").Template["Resources"].(map[string]any)["Taken"] = map[string]any{
			"Type": "AWS::Logs::LogGroup", "Properties": map[string]any{"LogGroupName": name},
		}
		a.Stack("observability").Template["Outputs"] = map[string]any{"After": map[string]any{"Value": "not touched"}}
	})
	plan := s.plan(wrong)
	if diff := cmp.Diff([]string{"network", "services", "observability"}, touched(plan.Record)); diff != "" {
		s.Errorf("what changes (-want +got):\n%s", diff)
	}
	_, err := s.of(wrong).Apply(s.Context(), plan.Record, nil)
	broken, ok := errors.AsType[*Broken](err)
	if !ok || broken.Stack != "services" || broken.Status != string(types.StackStatusUpdateRollbackComplete) {
		s.Fatalf("two groups of one name: %v", err)
	}
	for _, want := range []string{"stack services stopped: Taken (AWS::Logs::LogGroup) is UPDATE_FAILED: ", "rolled back and is as it was before", "Stacks after it were not touched"} {
		if !strings.Contains(err.Error(), want) {
			s.Errorf("a broken apply says\n%v\nand not %q", err, want)
		}
	}
	if got := touched(s.plan(c).Record); len(got) > 0 {
		s.Errorf("after a broken apply these are not as before: %v", got)
	}
}

// open applies the reviewed change.
func (s *story) open(c commit) {
	release := s.apply(c, s.plan(c))
	shelf := NewShelf(c.env, s.account.Config(c.env.Region))
	if err := shelf.add(s.Context(), release, nil, nil); err == nil {
		s.Error("the record of a release was written twice")
	}
	if release.Revision != 2 || release.Previous != 1 {
		s.Errorf("the second release: %+v", release)
	}
	if got := touched(s.plan(c).Record); len(got) > 0 {
		s.Errorf("changes of what was just applied: %v", got)
	}
}

// rollback goes back to the first release, whose templates are on the shelf
// alone, and runs the migration of that time.
func (s *story) rollback(c commit) {
	d := s.of(commit{"unknown", c.env, nil})
	to, err := d.Release(s.Context(), "1")
	if err != nil {
		s.Fatal(err)
	}
	s.forged(c, to)
	plan, err := d.Rollback(s.Context(), to)
	if err != nil {
		s.Fatal(err)
	}
	if want := "back to release 1"; !strings.Contains(plan.Review, want) {
		s.Errorf("the review does not say %q:\n%s", want, plan.Review)
	}
	release := s.migrates(commit{"unknown", c.env, nil}, plan.Record, true)
	if release.Revision != 6 || release.RollbackTo != 1 || release.Commit != to.Commit {
		s.Errorf("the release after the rollback: %+v", release)
	}
	if got := touched(s.plan(c).Record); len(got) > 0 {
		s.Errorf("what runs after the rollback differs from the first release in %v", got)
	}
}

// forged changes a template on the shelf: nothing goes back to that.
func (s *story) forged(c commit, to *Release) {
	shelf := NewShelf(c.env, s.account.Config(c.env.Region))
	key := fileKey(to.Stacks[0].TemplateSHA256)
	was, err := read(s.Context(), shelf.client, shelf.bucket, key)
	if err != nil {
		s.Fatal(err)
	}
	for _, text := range [][]byte{[]byte("{}"), was} {
		if err := shelf.put(s.Context(), key, text, nil); err != nil {
			s.Fatal(err)
		}
		_, _, err := shelf.templates(s.Context(), to)
		if forged := len(text) == 2; forged != (err != nil && strings.Contains(err.Error(), "is not what was released: somebody changed it")) {
			s.Errorf("a template of %d bytes on the shelf: %v", len(text), err)
		}
	}
}

// stateful replaces a group of logs: refused, allowed by its name, and no way
// back.
func (s *story) stateful(c commit) {
	const group = "Log95422804"
	name := "migration/" + group
	renamed := s.edited(c, "renamed", func(a *cfn.Assembly) {
		a.Stack("migration").Resources[group].Properties["LogGroupName"] = "/padron/dev/renamed"
	})
	plan := s.plan(renamed)
	for _, want := range []string{"- " + name + " (AWS::Logs::LogGroup) is replaced", "--allow-replacement " + name, "**REPLACES**"} {
		if !strings.Contains(plan.Review, want) {
			s.Errorf("the review does not say %q:\n%s", want, plan.Review)
		}
	}
	s.refuses(s.of(renamed), plan.Record, nil, name+" (AWS::Logs::LogGroup) is replaced, and what is in it is lost", "--allow-replacement "+name)
	s.refuses(s.of(renamed), plan.Record, []string{name, "data/Cluster"}, "--allow-replacement data/Cluster allows nothing")
	release := s.apply(renamed, plan, name)
	if !slices.Equal(release.Overrides, []string{name}) {
		s.Errorf("the release does not say what was allowed: %+v", release)
	}
	d := s.of(c)
	to, err := d.Release(s.Context(), "6")
	if err != nil {
		s.Fatal(err)
	}
	if _, err := d.Rollback(s.Context(), to); err == nil || !strings.Contains(err.Error(), "going back to release 6 is refused") {
		s.Errorf("a rollback that loses something: %v", err)
	}
}
