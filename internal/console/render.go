package console

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"padron"
)

// pages are the templates by language and page: a message is looked up when a
// template is made, so that a page cannot mix languages.
type pages map[string]map[string]*template.Template

var pageNames = []string{"sign-in", "list", "customer", "no-customers", "error"}

func parsePages() (*pages, error) {
	out := pages{}
	for language, messages := range catalogue {
		out[language] = map[string]*template.Template{}
		funcs := template.FuncMap{
			"t":     func(key string) (string, error) { return messages.get(key) },
			"tf":    func(key string, args ...any) (string, error) { return messages.format(key, args...) },
			"label": func(f fmt.Stringer) (string, error) { return messages.get("field." + f.String()) },
			// The template itself would let "/" and "#" of an id end the segment.
			"segment": func(id padron.CustomerID) string { return url.PathEscape(string(id)) },
		}
		for _, name := range pageNames {
			t, err := template.New("layout.html").Funcs(funcs).Option("missingkey=error").
				ParseFS(assets, "assets/layout.html", "assets/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("console page %s: %w", name, err)
			}
			out[language][name] = t
		}
	}
	return &out, nil
}

// render writes a page whole or, where its template fails, not at all.
func (c *Console) render(w http.ResponseWriter, v *visit, status int, name string, data map[string]any) {
	if data == nil {
		data = map[string]any{}
	}
	data["Visit"], data["Version"] = v, c.Version
	var b bytes.Buffer
	if err := (*c.pages)[v.Language][name].Execute(&b, data); err != nil {
		c.Logger.Error("console page cannot be shown", "page", name, "request_id", v.RequestID, "error", err.Error())
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Language)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that left reads no error
}

// languageCookie keeps the choice of a language.
const languageCookie = "padron-language"

// languageOf returns "es" or "en": the choice, or what the browser prefers.
func languageOf(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil && catalogue[c.Value] != nil {
		return c.Value
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if catalogue[base] != nil {
			return base
		}
	}
	return "en"
}

// language changes the language and goes back to a page of ours.
func (c *Console) language(w http.ResponseWriter, r *http.Request, _ *visit) error {
	language := r.PathValue("language")
	if catalogue[language] == nil {
		return padron.ErrNotFound
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever it is served over TLS
		Name: languageCookie, Value: language, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode,
	})
	back := r.URL.Query().Get("back")
	if !strings.HasPrefix(back, "/console/customers") {
		back = "/"
	}
	http.Redirect(w, r, back, http.StatusSeeOther) //nolint:gosec // a page of ours, by its prefix
	return nil
}
