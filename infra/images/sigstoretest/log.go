package sigstoretest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// origin is who signs for the log. The tree has a number besides, by which it is
// told that this is the first version of Rekor.
const origin = "log-of-a-test"

// enter keeps what was signed: Rekor's log, which is a new one for each entry.
func (s *Sigstore) enter(w http.ResponseWriter, r *http.Request) {
	body, err := entry(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id := sha256.Sum256(s.public(s.log))
	hash := sha256.Sum256(append([]byte{0}, body...)) // of the only leaf, and so of the tree
	told := map[string]any{
		"body": base64.StdEncoding.EncodeToString(body), "integratedTime": time.Now().Unix(), "logID": hex.EncodeToString(id[:]), "logIndex": 0,
	}
	note := fmt.Sprintf("%s - 1\n1\n%s\n", origin, base64.StdEncoding.EncodeToString(hash[:]))
	promised := s.sign(s.log, s.json(told))
	told["verification"] = map[string]any{
		"signedEntryTimestamp": base64.StdEncoding.EncodeToString(promised),
		"inclusionProof": map[string]any{
			"logIndex": 0, "treeSize": 1, "rootHash": hex.EncodeToString(hash[:]), "hashes": []string{},
			"checkpoint": fmt.Sprintf("%s\n— %s %s\n", note, origin, base64.StdEncoding.EncodeToString(append(id[:4:4], s.sign(s.log, []byte(note))...))),
		},
	}
	name := hex.EncodeToString(hash[:])
	w.Header().Set("ETag", name)
	w.Header().Set("Location", s.url+"/api/v1/log/entries/"+name)
	s.answer(w, http.StatusCreated, map[string]any{name: told})
}

// entry is what the log keeps of a signed statement: hashes and the signature.
func entry(r *http.Request) ([]byte, error) {
	var proposed struct {
		Kind, APIVersion string
		Spec             struct {
			ProposedContent struct {
				Envelope  string
				Verifiers []string
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&proposed); err != nil || proposed.Kind != "dsse" {
		return nil, fmt.Errorf("an entry of kind %q: %w", proposed.Kind, err)
	}
	content := proposed.Spec.ProposedContent
	var envelope struct {
		Payload    []byte
		Signatures []struct{ Sig string }
	}
	if err := json.Unmarshal([]byte(content.Envelope), &envelope); err != nil || len(envelope.Signatures) != 1 || len(content.Verifiers) != 1 {
		return nil, fmt.Errorf("the envelope %q: %w", content.Envelope, err)
	}
	return json.Marshal(map[string]any{"apiVersion": proposed.APIVersion, "kind": proposed.Kind, "spec": map[string]any{
		"envelopeHash": hashed([]byte(content.Envelope)), "payloadHash": hashed(envelope.Payload),
		"signatures": []any{map[string]any{"signature": envelope.Signatures[0].Sig, "verifier": content.Verifiers[0]}},
	}})
}

func hashed(text []byte) map[string]string {
	hash := sha256.Sum256(text)
	return map[string]string{"algorithm": "sha256", "value": hex.EncodeToString(hash[:])}
}
