package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"padron/internal/provider/providertest"
)

// The canaries are values that occur nowhere else.
const (
	canaryCard    = "4532-7714-9083-2256"
	canaryCode    = "739184"
	canaryAccount = "00918273645501"
	canaryName    = "Canaria Zzyzx Quetzalcóatl"
	canaryAddress = "Pasaje Inexistente 4711, Torre Oropéndola"
)

func canaryRecord(id string) map[string]any {
	return map[string]any{
		"id": id, "fec_alta": "2021-03-04T05:06:07.089Z", "user_name": canaryName, "codigo_zip": "04711",
		"credit_card_num": canaryCard, "credit_card_ccv": canaryCode, "cuenta_numero": canaryAccount, "direccion": canaryAddress,
		"geo_latitud": "1.5", "geo_longitud": "-70.25", "color_favorito": "azul", "foto_dni": "https://photos.example/1.jpg",
		"ip": "192.0.2.17", "auto": "Fiat", "auto_modelo": "Uno", "auto_tipo": "Hatchback", "auto_color": "rojo",
		"cantidad_compras_realizadas": 3, "avatar": "https://avatars.example/1.png", "fec_birthday": "1990-01-02T00:00:00.000Z",
	}
}

func TestCanaryIsFoundNowhere(t *testing.T) {
	sample, collection := provide(t, providertest.Options{Customers: 50, Seed: 6, APIKey: "canary-api-key-5521"}, nil)
	good, rejected, nested := canaryRecord("canary-1"), canaryRecord("canary-2"), canaryRecord("canary-3")
	rejected["fec_alta"] = "0000-00-00"
	nested["direccion"] = map[string]any{"credit_card_ccv": canaryCode, "text": canaryAddress}
	nested["cvv2"] = canaryCode
	sample.Put(good, rejected, nested)

	dir := t.TempDir()
	env := []string{
		"PADRON_PROVIDER_URL=" + collection, "PADRON_PROVIDER_API_KEY=canary-api-key-5521", "PADRON_LOG_LEVEL=debug",
		"PADRON_LISTEN=127.0.0.1:0", "PADRON_ADMIN_LISTEN=127.0.0.1:0",
	}
	synced := mustRun(t, dir, env, "synchronizer", "run", "--json")
	tokens := map[string]string{}
	for _, role := range roles {
		tokens[role] = strings.TrimSpace(mustRun(t, dir, env, "padron", "token", "create", "--role", role, "--name", "canary").stdout)
	}
	p := start(t, dir, env, "customers-mngr", "serve")
	base := servedAt(t, p)

	search := call(t, http.MethodPost, base+"/v1/customers/search", tokens["admin"], jsonOf(t, map[string]string{"user_name": canaryName}))
	if !strings.Contains(search.body, "canary-1") {
		t.Fatalf("the canary was not found by name: %s", search.body)
	}
	reveal := call(t, http.MethodPost, base+"/v1/customers/canary-1/reveal", tokens["admin"],
		`{"fields":["card_number","account_number"],"purpose":"a test of what is left behind"}`)
	if !strings.Contains(reveal.body, canaryCard) || !strings.Contains(reveal.body, canaryAccount) {
		t.Fatalf("reveal: %d %s", reveal.status, reveal.body)
	}
	errorsOnEachRoute(t, base, tokens)
	p.stop(t)

	outputs := map[string]string{"synchronizer": synced.stdout + synced.stderr, "customers-mngr": p.stderr.String()}
	for _, args := range [][]string{
		{"quarantine", "list", "--json"}, {"runs", "--json"}, {"audit", "export"}, {"token", "list", "--json"}, {"keys", "status", "--json"},
	} {
		r := mustRun(t, dir, env, "padron", args...)
		outputs["padron "+strings.Join(args, " ")] = r.stdout + r.stderr
	}
	for name, text := range outputs {
		findCanary(t, name, text)
	}
	findInFiles(t, dir)
}

// errorsOnEachRoute puts the canaries where a careless error would repeat them.
func errorsOnEachRoute(t *testing.T, base string, tokens map[string]string) {
	t.Helper()
	q := url.QueryEscape
	for role, token := range tokens {
		for _, route := range []string{
			"/v1/customers?page_token=" + q(canaryCard), "/v1/customers?fields=" + q(canaryName), "/v1/customers?" + q(canaryAddress) + "=1",
			"/v1/customers?page_size=" + q(canaryAccount), "/v1/customers/" + url.PathEscape(canaryName), "/v1/customers/x/" + url.PathEscape(canaryName),
			"/v1/audit?principal=" + q(canaryName), "/v1/runs/" + url.PathEscape(canaryAddress), "/v1/quarantine?page_token=" + q(canaryCard),
			"/" + url.PathEscape(canaryName), "/console/customers/" + url.PathEscape(canaryName),
		} {
			if got := call(t, http.MethodGet, base+route, token, ""); got.status < 400 && !strings.Contains(route, "principal") && !strings.HasPrefix(route, "/console") {
				t.Errorf("%s as %s: %d", route, role, got.status)
			}
		}
		for _, body := range []string{
			jsonOf(t, map[string]string{canaryName: canaryCard}), `{"user_name":"` + canaryName, jsonOf(t, map[string]any{"user_name": []string{canaryName}}),
			jsonOf(t, map[string]any{"fields": []string{canaryName}, "purpose": canaryAddress[:9]}),
		} {
			for _, route := range []string{"/v1/customers/search", "/v1/customers/canary-1/reveal"} {
				if got := call(t, http.MethodPost, base+route, token, body); got.status < 400 {
					t.Errorf("%s as %s with %s: %d", route, role, body, got.status)
				}
			}
		}
	}
	call(t, http.MethodGet, base+"/v1/me", canaryCard, "")
}

// servedAt returns the API's address from the log of customers-mngr.
func servedAt(t *testing.T, p *process) string {
	t.Helper()
	return waitForLog(t, p, "serving")["api"].(string)
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// findCanary looks for each canary as it is, without separators, and encoded.
func findCanary(t *testing.T, where, text string) {
	t.Helper()
	for _, c := range []string{canaryCard, canaryCode, canaryAccount, canaryName, canaryAddress, "canary-api-key-5521"} {
		bare := strings.NewReplacer("-", "", " ", "").Replace(c)
		for _, form := range []string{
			c, bare, strings.ToLower(c), strings.ToUpper(c), url.QueryEscape(c), url.PathEscape(c), strings.Trim(fmt.Sprintf("%+q", c), `"`),
			hex.EncodeToString([]byte(c)), base64.StdEncoding.EncodeToString([]byte(c))[:len(c)], base64.RawURLEncoding.EncodeToString([]byte(c))[:len(c)],
		} {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("%s holds the canary %q as %q: ...%q...", where, c, form, text[max(0, at-60):min(len(text), at+60)])
				break
			}
		}
	}
}

// findInFiles looks into every file that was left behind.
func findInFiles(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		findCanary(t, path, string(data))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 2 {
		t.Errorf("looked into %d files: there must be a database and a key file", files)
	}
}
