package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"padron"
	"padron/internal/store"
)

// Result is what a verification found. Broken is nil for an unbroken chain;
// Entries and Head then say how long it is and how it ends.
type Result struct {
	Entries int64
	Head    padron.AuditHead
	Broken  *Break
}

// Break is the first entry that is not as it was written.
type Break struct {
	Seq int64
	Why string
}

// Verify reads the chain in the store from its first entry to its last. An
// anchor is an earlier end of the chain that was kept elsewhere: it must still
// be in it.
func Verify(ctx context.Context, st store.Audit, anchor *padron.AuditHead) (Result, error) {
	v := &verifier{anchor: anchor, last: math.MinInt64} // a row put before the first one is found too
	for {
		entries, err := st.AuditEntries(ctx, padron.AuditFilter{After: v.last, Limit: chunk})
		for i := range entries {
			if !v.next(&entries[i]) {
				return v.result, nil
			}
		}
		var damaged *store.DamagedEntry
		if errors.As(err, &damaged) {
			v.breaks(damaged.Seq, "it cannot be read")
			return v.result, nil
		}
		if err != nil {
			return Result{}, err
		}
		if len(entries) < chunk {
			return v.end(), nil
		}
		v.last = entries[len(entries)-1].Seq
	}
}

// chunk is how many entries are read at once.
const chunk = 1000

// verifier follows a chain.
type verifier struct {
	result Result
	anchor *padron.AuditHead
	last   int64
}

// next checks one more entry against the chain so far.
func (v *verifier) next(e *padron.AuditEntry) bool {
	head := v.result.Head
	switch {
	case e.Seq != head.Seq+1:
		return v.breaks(head.Seq+1, fmt.Sprintf("it is missing; entry %d follows entry %d", e.Seq, head.Seq))
	case e.Prev != head.Hash:
		return v.breaks(e.Seq, "it does not follow the entry before it")
	case Hash(e.Prev, e) != e.Hash:
		return v.breaks(e.Seq, "it was changed")
	case v.anchor != nil && v.anchor.Seq == e.Seq && v.anchor.Hash != e.Hash:
		return v.breaks(e.Seq, "it is not the one of the anchor: the chain was written again")
	}
	v.result.Entries++
	v.result.Head = padron.AuditHead{Seq: e.Seq, Hash: e.Hash}
	return true
}

func (v *verifier) breaks(seq int64, why string) bool {
	v.result.Broken = &Break{seq, why}
	return false
}

// end checks what can be known only at the end.
func (v *verifier) end() Result {
	if v.anchor != nil && v.anchor.Seq > v.result.Head.Seq {
		v.breaks(v.result.Head.Seq+1, fmt.Sprintf("it is missing; the anchor says that there were %d entries", v.anchor.Seq))
	}
	return v.result
}

// WriteJSONL writes every entry as a line of JSON.
func WriteJSONL(ctx context.Context, st store.Audit, w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for after := int64(0); ; {
		entries, err := st.AuditEntries(ctx, padron.AuditFilter{After: after, Limit: chunk})
		if err != nil {
			return err
		}
		for i := range entries {
			if err := enc.Encode(entries[i]); err != nil {
				return err
			}
			after = entries[i].Seq
		}
		if len(entries) < chunk {
			return out.Flush()
		}
	}
}

// maxLine bounds a line of an export in bytes: a thousand ids of 64 characters
// and their escapes are well below.
const maxLine = 1 << 20

// VerifyJSONL verifies what [WriteJSONL] wrote, without a database. A line that
// is no entry, or is written otherwise, is a break; lines may end in CRLF.
func VerifyJSONL(r io.Reader, anchor *padron.AuditHead) (Result, error) {
	v := &verifier{anchor: anchor}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		e, ok := parseLine(lines.Bytes())
		if !ok {
			v.breaks(v.result.Head.Seq+1, "its line is not an entry as an export writes it")
			return v.result, nil
		}
		if !v.next(&e) {
			return v.result, nil
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		v.breaks(v.result.Head.Seq+1, "its line is longer than an entry can be")
		return v.result, nil
	}
	if err := lines.Err(); err != nil {
		return Result{}, fmt.Errorf("read the export: %w", err)
	}
	return v.end(), nil
}

// parseLine reads a line that is, to the byte, what [WriteJSONL] writes of its
// entry. JSON has other spellings, a name given twice among them, in which a
// person would read something else than what is verified.
func parseLine(line []byte) (padron.AuditEntry, bool) {
	var e padron.AuditEntry
	if err := json.Unmarshal(line, &e); err != nil {
		return e, false
	}
	again, err := json.Marshal(e)
	return e, err == nil && bytes.Equal(again, line)
}
