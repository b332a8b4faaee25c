package githubtest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// bot is whom a job's token writes as.
const bot = "github-actions[bot]"

func (t Text) json() map[string]any {
	kind := "User"
	if t.Author == bot {
		kind = "Bot"
	}
	return map[string]any{
		"id": t.ID, "number": t.Number, "title": t.Title, "body": t.Body,
		"user": map[string]any{"login": t.Author, "type": kind},
	}
}

// sent reads what a request brings into t, which keeps the rest.
func (t *Text) sent(r *http.Request) {
	var body struct {
		Title, Body *string
		Labels      []string
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		panic(err)
	}
	if body.Title != nil {
		t.Title = *body.Title
	}
	if body.Body != nil {
		t.Body = *body.Body
	}
	if body.Labels != nil {
		t.Labels = body.Labels
	}
}

func (s *Server) comments(w http.ResponseWriter, r *http.Request) {
	found := []any{}
	for _, c := range s.Comments[number(r, "number")] {
		found = append(found, c.json())
	}
	answer(w, found)
}

func (s *Server) comment(w http.ResponseWriter, r *http.Request) {
	pull := number(r, "number")
	made := Text{ID: int64(pull*100 + len(s.Comments[pull])), Author: bot}
	made.sent(r)
	s.Comments[pull] = append(s.Comments[pull], made)
	answer(w, made.json())
}

func (s *Server) editComment(w http.ResponseWriter, r *http.Request) {
	for _, all := range s.Comments {
		for i := range all {
			if all[i].ID == int64(number(r, "id")) {
				all[i].sent(r)
				answer(w, all[i].json())
				return
			}
		}
	}
	refuse(w, http.StatusNotFound, "Not Found")
}

func (s *Server) issues(w http.ResponseWriter, r *http.Request) {
	found := []any{}
	for _, t := range s.Issues {
		if label := r.FormValue("labels"); label == "" || slices.Contains(t.Labels, label) {
			found = append(found, t.json())
		}
	}
	answer(w, found)
}

func (s *Server) issue(w http.ResponseWriter, r *http.Request) {
	made := Text{Number: len(s.Issues) + 1, Author: bot}
	made.sent(r)
	s.Issues = append(s.Issues, made)
	answer(w, made.json())
}

func (s *Server) editIssue(w http.ResponseWriter, r *http.Request) {
	n := number(r, "number")
	if n < 1 || n > len(s.Issues) {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	s.Issues[n-1].sent(r)
	answer(w, s.Issues[n-1].json())
}
