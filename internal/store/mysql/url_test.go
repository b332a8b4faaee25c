package mysql_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/internal/store/mysql"
)

func TestParseURL(t *testing.T) {
	for raw, want := range map[string]mysql.Config{
		"mysql://u:p@db.example:3307/register?tls=true":    {Addr: "db.example:3307", User: "u", Password: "p", Database: "register", TLS: mysql.TLSVerify},
		"mysql://u:p@db.example/register":                  {Addr: "db.example:3306", User: "u", Password: "p", Database: "register", TLS: mysql.TLSVerify},
		"mysql://u:p@127.0.0.1/register":                   {Addr: "127.0.0.1:3306", User: "u", Password: "p", Database: "register", TLS: mysql.TLSOff},
		"mysql://u@[::1]:1/r":                              {Addr: "[::1]:1", User: "u", Database: "r", TLS: mysql.TLSOff},
		"mysql://localhost/r?tls=skip-verify":              {Addr: "localhost:3306", Database: "r", TLS: mysql.TLSSkipVerify},
		"mysql://localhost/r?tls=true&ca=/etc/rds.pem":     {Addr: "localhost:3306", Database: "r", TLS: mysql.TLSVerify, CA: "/etc/rds.pem"},
		"mysql://a%40b:p%40ss%3A%2Fw%C3%B6rd%3F%23@h/r%20": {Addr: "h:3306", User: "a@b", Password: "p@ss:/wörd?#", Database: "r ", TLS: mysql.TLSVerify},
	} {
		got, err := mysql.ParseURL(raw)
		if err != nil || got != want {
			t.Errorf("%s: %v (%v)", raw, cmp.Diff(want, got), err)
		}
	}
}

func TestParseURLFaults(t *testing.T) {
	for raw, want := range map[string][]string{
		"":                                                     {"begins with another word", "no database", "no host"},
		"sqlite:var/padron.db":                                 {"begins with another word", "no database", "no host"},
		"mysql://u:hunter2@/":                                  {"no database", "no host"},
		"mysql://u:hunter2@h:0/a/b":                            {"no possible database", "no possible port"},
		"mysql://u:hunter2@h:99999/r":                          {"no possible port"},
		"mysql://u:hunter2@h:port/r":                           {"is not a URL"},
		"mysql://u:hunter2/@h/r":                               {"is not a URL"},
		"mysql://u:hunter2@::/r":                               {"no possible host"},
		"mysql://u:hunter2@a b/r":                              {"is not a URL"},
		"mysql://u:hunter2@h,i:1/r":                            {"no possible host"},
		"mysql://u:1#hunter2@h/r":                              {"write it as %23", "no database"},
		"mysql://u:1?hunter2@h/r":                              {"unknown parameter", "no database"},
		"mysql://u:%hunter2@h/r":                               {"is not a URL"},
		"mysql://u:hunter2@h/r?tls=yes":                        {"unknown tls"},
		"mysql://u:hunter2@h/r?tls=true&tls=false":             {"sets tls twice"},
		"mysql://u:hunter2@h/r?parseTime=true":                 {"unknown parameter"},
		"mysql://u:hunter2@h/r?a=%zz":                          {"parameters that cannot be read"},
		"mysql://u:hunter2@h/r?tls=false&ca=x":                 {"nothing is checked against"},
		"mysql://u:hunter2@h/" + strings.Repeat("ñ", 65):       {"no possible database"},
		"mysql://u:hunter2@h:70000/?tls=maybe&charset=hunter2": {"no database", "no possible port", "unknown tls", "unknown parameter"},
	} {
		_, err := mysql.ParseURL(raw)
		if err == nil {
			t.Errorf("%s was read", raw)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, want %q", raw, err, w)
			}
		}
		if lines := strings.Count(err.Error(), "\n") + 1; lines != len(want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %d faults, want %d: %v", raw, lines, len(want), err)
		}
	}
}

func TestConfigHidesThePassword(t *testing.T) {
	cfg, err := mysql.ParseURL("mysql://u:hunter2@h:3306/r?tls=true")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, cfg) + fmt.Sprintf(verb, &cfg); strings.Contains(text, "hunter2") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
	if s := cfg.String(); s != "mysql://u@h:3306/r?tls=true" {
		t.Errorf("prints as %s", s)
	}
}

// FuzzParseURL: no error quotes a password, escaped or not, and what was read
// reads the same again.
func FuzzParseURL(f *testing.F) {
	for _, seed := range [][3]string{
		{"p", "h:3306", "r?tls=true"}, {"a/b", "h", "r"}, {"a#b", "h", "r"}, {"a?b", "h", "r?ca=x"}, {"a@b:c", "[::1]:1", "r"},
		{"%zz", "h", "r?tls=yes"}, {"", "", ""}, {" ", "h:x", "a/b"}, {"p", "h", "r?%70=1;"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, password, host, rest string) {
		const canary = "hUnTeR2"
		for _, secret := range []string{password + canary, canary + password, url.QueryEscape(canary + password)} {
			raw := "mysql://u:" + secret + "@" + host + "/" + rest
			cfg, err := mysql.ParseURL(raw)
			if err != nil {
				if strings.Contains(err.Error(), canary) {
					t.Errorf("%q: %v", raw, err)
				}
				continue
			}
			again := url.URL{
				Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Password.Expose()), Host: cfg.Addr, Path: "/" + cfg.Database,
				RawQuery: url.Values{"tls": {string(cfg.TLS)}, "ca": {cfg.CA}}.Encode(),
			}
			if cfg.CA == "" {
				again.RawQuery = "tls=" + string(cfg.TLS)
			}
			if got, err := mysql.ParseURL(again.String()); err != nil || got != cfg {
				t.Errorf("%q reads as %+v, and again as %+v (%v)", raw, cfg, got, err)
			}
		}
	})
}
