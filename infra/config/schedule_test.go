package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/config"
)

func TestScheduleFaults(t *testing.T) {
	for _, tt := range []struct {
		schedule string
		want     []string
	}{
		{"rate(1 minute)", nil},
		{"rate(60 minutes)", nil},
		{"rate(1 hour)", nil},
		{"cron(0 3 * * ? *)", nil},
		{"cron(0/15 * * * ? *)", nil},
		{"cron(*/5 8-18 ? * MON-FRI *)", nil},
		{"cron(0 3 29 FEB ? *)", nil},
		{"cron(0 3 31 1,3,5 ? 2030-2040)", nil},
		{"cron(59/999999999999 23 ? * 7 2199)", []string{`"59/999999999999" is not minutes, 0 to 59`}},
		{"", []string{`"" is neither rate(15 minutes) nor cron(0 3 * * ? *)`}},
		{"every day", []string{`"every day" is neither rate(15 minutes) nor cron(0 3 * * ? *)`}},
		{"rate(0 minutes)", []string{`"rate(0 minutes)" is neither rate(15 minutes) nor cron(0 3 * * ? *)`}},
		{"rate(1.5 hours)", []string{`"rate(1.5 hours)" is neither rate(15 minutes) nor cron(0 3 * * ? *)`}},
		{"rate(1 minutes)", []string{`"rate(1 minutes)": the unit is singular for 1 and plural for more`}},
		{"rate(5 minute)", []string{`"rate(5 minute)": the unit is singular for 1 and plural for more`}},
		{"rate(2 hours)", []string{"a run every 120 minutes is always too old for alarms.freshness_minutes 60"}},
		{"rate(1 day)", []string{"a run every 1440 minutes is always too old for alarms.freshness_minutes 60"}},
		{"cron(0 3 * * *)", []string{"cron has 5 fields: want six, such as cron(0 3 * * ? *)"}},
		{"cron()", []string{"cron has 0 fields: want six, such as cron(0 3 * * ? *)"}},
		{"cron(60 3 * * ? *)", []string{`"60" is not minutes, 0 to 59`}},
		{"cron(0 24 * * ? *)", []string{`"24" is not hours, 0 to 23`}},
		{"cron(? 3 * * ? *)", []string{`"?" is not minutes, 0 to 59`}},
		{"cron(0 3 0 * ? *)", []string{`"0" is not day of month, 1 to 31`}},
		{"cron(0 3 * JANUARY ? *)", []string{`"JANUARY" is not month, 1 to 12`}},
		{"cron(0 3 ? * SUN-8 *)", []string{`"SUN-8" is not day of week, 1 to 7`}},
		{"cron(0 3 * * ? 1969)", []string{`"1969" is not year, 1970 to 2199`}},
		{"cron(30-10 3 * * ? *)", []string{`"30-10" is not minutes, 0 to 59`}},
		{"cron(0,,5 3 * * ? *)", []string{`"0,,5" is not minutes, 0 to 59`}},
		{"cron(*/0 3 * * ? *)", []string{`"*/0" is not minutes, 0 to 59`}},
		{"cron(5- 3 * * ? *)", []string{`"5-" is not minutes, 0 to 59`}},
		{"cron(0 3 * * * *)", []string{"exactly one of day of month and day of week must be ?"}},
		{"cron(0 3 ? * ? *)", []string{"exactly one of day of month and day of week must be ?"}},
		{"cron(0 3 30 2 ? *)", []string{"month 2 has no day 30: this would never run"}},
		{"cron(0 3 31 APR,JUN ? *)", []string{"month APR,JUN has no day 31: this would never run"}},
		{"cron(0 3 30-31 FEB ? *)", []string{"month FEB has no day 30-31: this would never run"}},
		{"cron(99 99 99 99 ? 99)", []string{
			`"99" is not minutes, 0 to 59`, `"99" is not hours, 0 to 23`, `"99" is not day of month, 1 to 31`,
			`"99" is not month, 1 to 12`, `"99" is not year, 1970 to 2199`,
		}},
	} {
		t.Run(tt.schedule, func(t *testing.T) {
			e := sample(t)
			e.Synchronizer.Schedule = tt.schedule
			var got []string
			for _, f := range e.Validate() {
				if f.Where != "synchronizer.schedule" {
					t.Errorf("a fault at %s", f.Where)
				}
				got = append(got, f.Why)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzSchedule holds that no text for a schedule hangs, panics or finds fault
// with anything else.
func FuzzSchedule(f *testing.F) {
	for _, s := range []string{
		"rate(15 minutes)", "rate(99999 days)", "cron(0 3 * * ? *)", "cron(*/7,1-5/2 0-23 L * ? *)", "cron(0 3 31 2 ? *)",
		"cron(1/9223372036854775807 * ? * 2#1 *)", "cron(- , / ? * 0)", "cron(",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := sample(t)
		e.Synchronizer.Schedule = s
		for _, x := range e.Validate() {
			if x.Where != "synchronizer.schedule" || x.Why == "" {
				t.Errorf("%q: a fault at %q that says %q", s, x.Where, x.Why)
			}
		}
	})
}

// FuzzValidate holds that whatever stands in the texts, Validate answers, and
// answers the same again; and that a fault says where and why.
func FuzzValidate(f *testing.F) {
	f.Add("prod", "us-east-1", "us-east-1a", "10.0.0.0/24", "10.0.0.0/26", "example.com", "https://a.example/", config.NoImage, 0.5, 8.0, 2)
	f.Add("", "", "", "", "", "", "", "", 0.0, 0.0, 0)
	f.Add("x", "eu-west-1", "eu-west-1Z", "0.0.0.0/0", "::/0", "-.a", "https://[::1", "sha256:", -0.5, 1e300, -1)
	f.Fuzz(func(t *testing.T, name, region, zone, vpc, subnet, domain, provider, digest string, least, most float64, n int) {
		e := sample(t)
		e.Name, e.Region, e.CopyRegion, e.Account = name, region, region, digest
		e.Zones = []string{zone, zone}
		e.Network.CIDR, e.Network.Public, e.Network.NATs = vpc, []string{subnet, vpc}, n
		e.Consumers[0].CIDR, e.Consumers[0].Name = subnet, domain
		e.Domains.Zone, e.Synchronizer.ProviderURL, e.Images.Padron = domain, provider, digest
		e.Database.MinACU, e.Database.MaxACU, e.Database.Readers = least, most, n
		e.Manager.MinTasks, e.Manager.CPU, e.Retention.Logs = n, n, n
		first := e.Validate()
		if diff := cmp.Diff(first, e.Validate()); diff != "" {
			t.Errorf("another answer the second time:\n%s", diff)
		}
		for _, x := range first {
			if x.Where == "" || x.Why == "" {
				t.Errorf("a fault at %q that says %q", x.Where, x.Why)
			}
		}
	})
}
