package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
	"padron/internal/seal"
)

type quarantineCmd struct {
	List quarantineList `cmd:"" help:"List rejected records, without their content."`
	Show quarantineShow `cmd:"" help:"Show what is wrong with one record: kinds and lengths, no value."`

	Replay quarantineReplay `cmd:"" help:"Validate records again, after a newer version of the rules, and write those that pass."`
}

type quarantineList struct {
	Reason string `placeholder:"REASON" help:"Only those with this reason, such as zip_code:wrong_type."`
	JSON   bool   `name:"json" help:"As JSON."`
}

// Run lists everything in quarantine, or what has a reason.
func (c *quarantineList) Run(ctx context.Context, env *cli.Env) error {
	return withApp(ctx, env, func(a *app.App) error {
		entries, err := allQuarantined(ctx, a)
		if err != nil {
			return err
		}
		if c.Reason != "" {
			entries = slices.DeleteFunc(entries, func(q padron.QuarantineEntry) bool {
				return !slices.Contains(q.Reasons, padron.Reason(c.Reason))
			})
		}
		return cli.List(env.Stdout, c.JSON, "quarantine", entries, []string{"ID", "CUSTOMER", "SEEN", "LAST", "REASONS"},
			func(q padron.QuarantineEntry) []string {
				return []string{q.ID, string(q.CustomerID), strconv.FormatInt(q.Count, 10), padron.FormatTime(q.LastSeen), joinReasons(q.Reasons)}
			})
	})
}

func allQuarantined(ctx context.Context, a *app.App) ([]padron.QuarantineEntry, error) {
	const chunk = 1000
	var all []padron.QuarantineEntry
	for after := ""; ; after = all[len(all)-1].ID {
		entries, err := a.Store.Quarantine(ctx, after, chunk)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
		if len(entries) < chunk {
			return all, nil
		}
	}
}

func joinReasons(reasons []padron.Reason) string {
	text := make([]string, len(reasons))
	for i, r := range reasons {
		text[i] = string(r)
	}
	return strings.Join(text, " ")
}

type quarantineShow struct {
	ID   string `arg:"" help:"The entry's id, as list shows it."`
	JSON bool   `name:"json" help:"As JSON."`
}

// fieldShape is what may be told of a rejected record's field.
type fieldShape struct {
	Field  padron.Field `json:"field"`
	Kind   string       `json:"kind"`
	Length int          `json:"length"`
}

// Run shows the shape of a rejected record.
func (c *quarantineShow) Run(ctx context.Context, env *cli.Env) error {
	return withApp(ctx, env, func(a *app.App) error {
		entry, err := a.Store.QuarantineEntry(ctx, c.ID)
		if err != nil {
			return named("quarantine", c.ID, err)
		}
		record, err := openRecord(ctx, a, &entry)
		if err != nil {
			return err
		}
		shapes := make([]fieldShape, 0, padron.NumFields)
		for _, f := range padron.Fields() {
			v := record.Values[f]
			shapes = append(shapes, fieldShape{f, v.Kind.String(), len(v.Text)})
		}
		_, _, today := record.Validate()
		if c.JSON {
			return cli.WriteJSON(env.Stdout, map[string]any{
				"entry": entry, "reasons_today": append([]padron.Reason{}, today...),
				"removed_after": padron.FormatTime(entry.LastSeen.Add(a.Config.QuarantineKeep)),
				"fields":        shapes, "unknown_fields": append([]string{}, record.Unknown...),
			})
		}
		if _, err := io.WriteString(env.Stdout, entryFacts(&entry, today, a.Config.QuarantineKeep)); err != nil {
			return err
		}
		return cli.List(env.Stdout, false, "", shapes, []string{"FIELD", "KIND", "BYTES"}, func(s fieldShape) []string {
			return []string{s.Field.String(), s.Kind, strconv.Itoa(s.Length)}
		})
	})
}

// entryFacts is what a person should know of an entry before its fields.
func entryFacts(q *padron.QuarantineEntry, today []padron.Reason, keep time.Duration) string {
	var b strings.Builder
	whose := "of nobody known"
	if q.CustomerID != "" {
		whose = fmt.Sprintf("of customer %q", q.CustomerID)
	}
	fmt.Fprintf(&b, "%s %s: %s\n", q.ID, whose, joinReasons(q.Reasons))
	fmt.Fprintf(&b, "sent %d times from %s to %s, last in run %s\n", q.Count, padron.FormatTime(q.FirstSeen), padron.FormatTime(q.LastSeen), q.RunID)
	if len(today) == 0 {
		fmt.Fprintf(&b, "valid by the rules of this version: padron quarantine replay %s moves it in, if the last complete run met it\n", q.ID)
	} else {
		fmt.Fprintf(&b, "not valid by the rules of this version either: %s\n", joinReasons(today))
	}
	fmt.Fprintf(&b, "a run removes it after %s, unless it is sent again or arrives valid\n\n", padron.FormatTime(q.LastSeen.Add(keep)))
	return b.String()
}

type quarantineReplay struct {
	IDs  []string `arg:"" optional:"" name:"id" help:"The entries to replay; none are all."`
	JSON bool     `name:"json" help:"As JSON."`
}

// Run replays quarantined records.
func (c *quarantineReplay) Run(ctx context.Context, env *cli.Env) error {
	return withApp(ctx, env, func(a *app.App) error {
		out, err := a.Replay(ctx, c.IDs)
		switch {
		case errors.Is(err, padron.ErrLeaseHeld):
			return fmt.Errorf("a run is at work: replay when it has ended (%w)", err)
		case err != nil:
			return err
		case c.JSON:
			return cli.WriteJSON(env.Stdout, out)
		}
		_, err = fmt.Fprintf(env.Stdout, "%d replayed: %d inserted, %d updated, %d unchanged; %d still rejected, %d outdated\n",
			out.Replayed, out.Inserted, out.Updated, out.Unchanged, out.Rejected, out.Outdated)
		return err
	})
}

func openRecord(ctx context.Context, a *app.App, entry *padron.QuarantineEntry) (padron.Record, error) {
	wrapper, err := a.Wrapper(ctx)
	if err != nil {
		return padron.Record{}, err
	}
	opener, err := seal.NewOpener(ctx, wrapper, a.Store)
	if err != nil {
		return padron.Record{}, err
	}
	return opener.OpenRecord(ctx, entry)
}
