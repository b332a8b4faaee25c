package sigstoretest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// repository are the files of a TUF repository that says whom to trust and where
// they are.
func (s *Sigstore) repository() map[string][]byte {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	key := map[string]any{"keytype": "ed25519", "scheme": "ed25519", "keyval": map[string]any{"public": hex.EncodeToString(public)}}
	id := hashed(s.json(key))["value"]
	role := map[string]any{"keyids": []string{id}, "threshold": 1}
	files := map[string][]byte{}
	write := func(kind string, more map[string]any) {
		more["_type"], more["spec_version"], more["version"] = kind, "1.0.31", 1
		more["expires"] = time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		signature := hex.EncodeToString(ed25519.Sign(private, s.json(more)))
		files[kind+".json"] = s.json(map[string]any{"signed": more, "signatures": []any{map[string]any{"keyid": id, "sig": signature}}})
	}
	write("root", map[string]any{
		"consistent_snapshot": false, "keys": map[string]any{id: key},
		"roles": map[string]any{"root": role, "targets": role, "snapshot": role, "timestamp": role},
	})
	targets := map[string]any{}
	for name, document := range map[string]any{"trusted_root.json": s.trusted(), "signing_config.v0.2.json": s.services()} {
		text := s.json(document)
		files["targets/"+name] = text
		targets[name] = map[string]any{"length": len(text), "hashes": map[string]string{"sha256": hashed(text)["value"]}}
	}
	write("targets", map[string]any{"targets": targets})
	write("snapshot", map[string]any{"meta": map[string]any{"targets.json": map[string]any{"version": 1}}})
	write("timestamp", map[string]any{"meta": map[string]any{"snapshot.json": map[string]any{"version": 1}}})
	return files
}

// since is when everything here began to hold.
func since() map[string]any {
	return map[string]any{"start": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}
}

// trusted is Sigstore's trusted_root.json: the keys of the authority and the logs.
func (s *Sigstore) trusted() map[string]any {
	log := func(public []byte) []any {
		id := sha256.Sum256(public)
		return []any{map[string]any{
			"baseUrl": s.url, "hashAlgorithm": "SHA2_256", "logId": map[string]any{"keyId": id[:]},
			"publicKey": map[string]any{"rawBytes": public, "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since()},
		}}
	}
	return map[string]any{
		"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		"tlogs":     log(s.public(s.log)), "ctlogs": log(s.public(s.sct)),
		"certificateAuthorities": []any{map[string]any{
			"uri": s.url, "validFor": since(), "subject": map[string]any{"organization": "test", "commonName": "authority of a test"},
			"certChain": map[string]any{"certificates": []any{map[string]any{"rawBytes": s.root.Raw}}},
		}},
	}
}

// services is Sigstore's signing_config.json: where to sign.
func (s *Sigstore) services() map[string]any {
	at := []any{map[string]any{"url": s.url, "majorApiVersion": 1, "validFor": since(), "operator": "test"}}
	return map[string]any{
		"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
		"caUrls":    at, "rekorTlogUrls": at, "rekorTlogConfig": map[string]any{"selector": "ANY"}, "tsaConfig": map[string]any{"selector": "ANY"},
	}
}
