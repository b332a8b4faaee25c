package estate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"padron/infra/synthtest"
)

// TestTrailCanWrite: only this trail writes to the bucket, and only below its
// own prefix; the trail waits until it may.
func TestTrailCanWrite(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		env, estate := synthtest.Config(t, name), synthtest.Load(t, name)
		trail := estate.Find("AWS::CloudTrail::Trail", "Trail")
		if trail == nil {
			continue
		}
		want := "arn:aws:cloudtrail:" + env.Region + ":" + env.Account + ":trail/" + trail.Text("TrailName")
		policy := estate.Find("AWS::S3::BucketPolicy", "TrailBucket/Policy")
		writers := 0
		for _, s := range objects(policy.List("PolicyDocument", "Statement")) {
			if !slices.Contains(texts(s["Action"]), "s3:PutObject") || s["Effect"] != "Allow" {
				continue
			}
			writers++
			condition, _ := s["Condition"].(map[string]any)
			equals, _ := condition["StringEquals"].(map[string]any)
			if equals["aws:SourceArn"] != want {
				t.Errorf("%s: %v may write, want %s alone", name, equals["aws:SourceArn"], want)
			}
			for _, resource := range texts(s["Resource"]) {
				if !strings.HasSuffix(resource, "/AWSLogs/"+env.Account+"/*") {
					t.Errorf("%s: the trail may write to %s", name, resource)
				}
			}
		}
		if writers != 1 {
			t.Errorf("%s: %d statements let somebody write, want one", name, writers)
		}
		waits, _ := trail.Body["DependsOn"].([]any)
		for _, before := range []string{policy.LogicalID, estate.Find("AWS::IAM::ManagedPolicy", "TrailWriterPolicy").LogicalID} {
			if !slices.Contains(waits, any(before)) {
				t.Errorf("%s: the trail does not wait for %s", name, before)
			}
		}
	}
}

// TestTrailDoesNotRecordItself: the selector of objects leaves out the buckets
// that logs are written to.
func TestTrailDoesNotRecordItself(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		estate := synthtest.Load(t, name)
		for _, trail := range estate.Resources("AWS::CloudTrail::Trail") {
			var left []string
			for _, s := range objects(trail.List("AdvancedEventSelectors", "1", "FieldSelectors")) {
				left = append(left, texts(s["NotStartsWith"])...)
			}
			for _, bucket := range []string{"TrailBucket", "AccessLogs"} {
				b := estate.Find("AWS::S3::Bucket", bucket)
				if !slices.Contains(left, "arn:aws:s3:::"+b.Text("BucketName")+"/") {
					t.Errorf("%s: writes to %s are recorded, and the record is written there", name, b)
				}
			}
		}
	}
}

// TestEveryRuleTells: no rule of the estate's security is without somebody who
// is told.
func TestEveryRuleTells(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		estate := synthtest.Load(t, name)
		for _, rule := range estate.Resources("AWS::Events::Rule") {
			if rule.Stack.Name != "audit" && rule.Stack.Name != "backup" {
				continue
			}
			if topic := rule.Target("Targets", "0", "Arn"); topic == nil || topic.Path() != "Findings" {
				t.Errorf("%s: %s tells %v", name, rule, topic)
			}
		}
	}
}

// TestEventsArrive: EventBridge says neither SNS nor KMS for which account or
// rule it asks, so a statement that wants to know loses every finding.
func TestEventsArrive(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		estate := synthtest.Load(t, name)
		for _, where := range []struct{ typ, path, document string }{
			{"AWS::SNS::TopicPolicy", "Findings/Policy", "PolicyDocument"}, {"AWS::KMS::Key", "messages", "KeyPolicy"},
		} {
			found := 0
			for _, s := range objects(estate.Find(where.typ, where.path).List(where.document, "Statement")) {
				if principal, _ := s["Principal"].(map[string]any); principal["Service"] != "events.amazonaws.com" {
					continue
				}
				found++
				if asked := fmt.Sprint(s["Condition"]); strings.Contains(asked, "aws:Source") {
					t.Errorf("%s: %s asks EventBridge for %s", name, where.path, asked)
				}
			}
			if found != 1 {
				t.Errorf("%s: %s has %d statements for EventBridge, want one", name, where.path, found)
			}
		}
	}
}

// objects are the objects of a resolved list.
func objects(list []any) []map[string]any {
	var all []map[string]any
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}
