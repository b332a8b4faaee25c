package picture_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"padron/infra/cfn"
	"padron/infra/picture"
	"padron/infra/synthtest"
)

var languages = []string{"en", "es"}

func draw(t *testing.T, a *cfn.Assembly, environment, language string) *picture.Drawing {
	t.Helper()
	d, err := picture.New(a, environment, language)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// each runs f on every environment's drawing in every language.
func each(t *testing.T, f func(t *testing.T, d *picture.Drawing)) {
	t.Helper()
	for _, name := range synthtest.Environments(t) {
		for _, language := range languages {
			t.Run(name+"/"+language, func(t *testing.T) {
				f(t, draw(t, synthtest.Load(t, name), name, language))
			})
		}
	}
}

// TestFresh compares the repository's drawings with the templates of today.
func TestFresh(t *testing.T) {
	a := synthtest.Load(t, picture.Environment)
	for _, f := range picture.Files {
		kept, err := os.ReadFile(filepath.Join("..", f.Path))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(kept, draw(t, a, picture.Environment, f.Language).SVG()) {
			t.Errorf("%s is not what the templates say: go run ./cmd/padron-infra picture, in infra", f.Path)
		}
	}
}

// TestNothingInvented takes the resources of each box, and the reasons of each
// arrow, out of the templates: the box and the arrow must go with them.
func TestNothingInvented(t *testing.T) {
	a := synthtest.Load(t, picture.Environment)
	whole := draw(t, a, picture.Environment, "en")
	without := func(gone []*cfn.Resource) *picture.Drawing {
		c := a.Clone()
		for _, r := range gone {
			if twin := c.Stack(r.Stack.Name).Resources[r.LogicalID]; twin != nil {
				twin.Remove()
			}
		}
		d, err := picture.New(c, picture.Environment, "en")
		if err != nil {
			return &picture.Drawing{} // without a VPC there is no drawing at all
		}
		return d
	}
	whole.Walk(func(_, b *picture.Box) {
		if len(b.From) == 0 {
			t.Errorf("%s comes from nothing", b.ID)
		} else if without(b.From).Find(b.ID) != nil {
			t.Errorf("%s is still drawn without %v", b.ID, b.From)
		}
	})
	for _, arrow := range whole.Arrows {
		if len(arrow.Why) == 0 {
			t.Errorf("the arrow from %s to %s comes from nothing", arrow.From.ID, arrow.To.ID)
			continue
		}
		for _, still := range without(arrow.Why).Arrows {
			if still.From.ID == arrow.From.ID && still.To.ID == arrow.To.ID {
				t.Errorf("the arrow from %s to %s is still drawn without %v", arrow.From.ID, arrow.To.ID, arrow.Why)
			}
		}
	}
}

// TestOneResourceLess takes one resource out at a time: what was drawn from it
// must not look the same.
func TestOneResourceLess(t *testing.T) {
	a := synthtest.Load(t, picture.Environment)
	whole := draw(t, a, picture.Environment, "en")
	before := whole.SVG()
	seen := map[string]bool{}
	whole.Walk(func(_, b *picture.Box) {
		for _, r := range b.From {
			if seen[r.String()] {
				continue
			}
			seen[r.String()] = true
			c := a.Clone()
			c.Stack(r.Stack.Name).Resources[r.LogicalID].Remove()
			d, err := picture.New(c, picture.Environment, "en")
			if err == nil && bytes.Equal(before, d.SVG()) {
				t.Errorf("the drawing is the same without %s", r)
			}
		}
	})
}

// TestNoOverlap asks that brothers keep apart, and that children stay inside.
func TestNoOverlap(t *testing.T) {
	each(t, func(t *testing.T, d *picture.Drawing) {
		brothers := map[*picture.Box][]*picture.Box{}
		d.Walk(func(parent, b *picture.Box) {
			if parent != nil && !inside(b, parent) {
				t.Errorf("%s reaches out of %s", b.ID, parent.ID)
			}
			if !b.Spans {
				brothers[parent] = append(brothers[parent], b)
			}
		})
		for _, all := range brothers {
			for i, b := range all {
				for _, other := range all[i+1:] {
					if overlap(b, other) {
						t.Errorf("%s lies on %s", b.ID, other.ID)
					}
				}
			}
		}
	})
}

// TestSpanning asks that what lies over several groups lies on no node.
func TestSpanning(t *testing.T) {
	each(t, func(t *testing.T, d *picture.Drawing) {
		d.Walk(func(_, b *picture.Box) {
			if !b.Spans {
				return
			}
			d.Walk(func(_, other *picture.Box) {
				if other != b && other.Icon != "" && overlap(b, other) {
					t.Errorf("%s lies on %s", b.ID, other.ID)
				}
			})
		})
	})
}

// TestArrowsAvoidNodes asks that no arrow runs over a node but its two ends.
func TestArrowsAvoidNodes(t *testing.T) {
	each(t, func(t *testing.T, d *picture.Drawing) {
		d.Walk(func(_, b *picture.Box) {
			for _, a := range d.Arrows {
				for i := 1; b.Icon != "" && b != a.From && b != a.To && i < len(a.Path); i++ {
					if crosses(a.Path[i-1], a.Path[i], b) {
						t.Errorf("the arrow from %s to %s runs over %s", a.From.ID, a.To.ID, b.ID)
					}
				}
			}
		})
	})
}

// TestArrowsAreSquare asks for pieces that go across or up and down.
func TestArrowsAreSquare(t *testing.T) {
	each(t, func(t *testing.T, d *picture.Drawing) {
		for _, a := range d.Arrows {
			for i := 1; i < len(a.Path); i++ {
				if a.Path[i-1].X != a.Path[i].X && a.Path[i-1].Y != a.Path[i].Y {
					t.Errorf("the arrow from %s to %s is slanting", a.From.ID, a.To.ID)
				}
			}
		}
	})
}

// crosses reports whether the piece of an arrow touches the box.
func crosses(from, to picture.Point, b *picture.Box) bool {
	return min(from.X, to.X) < b.X+b.W && b.X < max(from.X, to.X) && min(from.Y, to.Y) < b.Y+b.H && b.Y < max(from.Y, to.Y)
}

func inside(b, parent *picture.Box) bool {
	return b.X >= parent.X && b.Y >= parent.Y && b.X+b.W <= parent.X+parent.W && b.Y+b.H <= parent.Y+parent.H
}

func overlap(a, b *picture.Box) bool {
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// TestLabelsFit asks that no text, by the estimate, is larger than its box.
func TestLabelsFit(t *testing.T) {
	each(t, func(t *testing.T, d *picture.Drawing) {
		for _, wrong := range d.Misfits() {
			t.Error(wrong)
		}
	})
}

// TestSeed asks for what the architecture names.
func TestSeed(t *testing.T) {
	d := draw(t, synthtest.Load(t, picture.Environment), picture.Environment, "en")
	want := []string{
		"account", "region", "vpc", "internet-gateway", "gateway-endpoint", "balancer", "bastion-us-east-1a",
		"transit", "vpn", "consumer-sales", "consumer-data-centre", "github", "deploy", "private-zone", "public-zone",
		"certificate", "kms", "secrets", "registry", "trail", "guardduty", "security-hub", "backup", "copies", "copy-vault", "waf",
	}
	for _, zone := range []string{"us-east-1a", "us-east-1b"} {
		for _, id := range []string{"zone", "public", "private", "nat", "eip", "database", "endpoints"} {
			want = append(want, id+"-"+zone)
		}
	}
	for _, id := range want {
		if d.Find(id) == nil {
			t.Errorf("%s is not drawn", id)
		}
	}
	if kinds := arrows(d, "internet-gateway"); !slices.Contains(kinds, "out") {
		t.Errorf("arrows at the Internet gateway are %v, want a way out", kinds)
	}
}

func arrows(d *picture.Drawing, id string) []string {
	var kinds []string
	for _, a := range d.Arrows {
		if a.From.ID == id || a.To.ID == id {
			kinds = append(kinds, a.Kind)
		}
	}
	return kinds
}

// TestUnknownLanguage asks for an error that names the language.
func TestUnknownLanguage(t *testing.T) {
	if _, err := picture.New(synthtest.Load(t, "dev"), "dev", "fr"); err == nil {
		t.Error("a drawing in fr has no error")
	}
}

// TestLinesAreRead changes a setting at a time: what a card says of it goes.
func TestLinesAreRead(t *testing.T) {
	for _, c := range []struct{ box, typ, property string }{
		{"trail", "AWS::CloudTrail::Trail", "IsMultiRegionTrail"},
		{"backup", "AWS::Backup::BackupVault", "LockConfiguration"},
		{"restore-test", "AWS::Backup::RestoreTestingPlan", "ScheduleExpression"},
		{"steps", "AWS::StepFunctions::StateMachine", "DefinitionString"},
		{"cluster", "AWS::ECS::TaskDefinition", "RuntimePlatform"},
		{"kms", "AWS::KMS::Key", "EnableKeyRotation"},
		{"balancer", "AWS::ElasticLoadBalancingV2::Listener", "SslPolicy"},
		{"posture", "AWS::IAM::Role", "ManagedPolicyArns"},
		{"transit", "AWS::EC2::TransitGatewayVpcAttachment", "SubnetIds"},
		{"synchronizer-us-east-1a", "AWS::ECS::TaskDefinition", "RequiresCompatibilities"},
	} {
		t.Run(c.box, func(t *testing.T) {
			a := synthtest.Load(t, picture.Environment)
			before := draw(t, a, picture.Environment, "en").Find(c.box)
			for _, r := range a.Resources(c.typ) {
				delete(r.Properties, c.property)
			}
			after := draw(t, a, picture.Environment, "en").Find(c.box)
			if before == nil || after != nil && slices.Equal(before.Lines, after.Lines) {
				t.Errorf("%s says the same without %s", c.box, c.property)
			}
		})
	}
}
