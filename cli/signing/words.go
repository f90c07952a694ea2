package signing

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections/plain"
)

// maxListed is how many archives, or revocations of one sort, are shown one by one. Of more, their
// number is shown and a digest that others can compare.
const maxListed = 20

// inWords says what the next metadata changes, one change a line: + is added, - is taken away, and ~ is
// changed. It refuses metadata that holds something that it cannot show.
func inWords(published, next *tuf.Repository) ([]string, error) {
	old, err := published.Content()
	if err != nil {
		return nil, fmt.Errorf("read what is published: %w", err)
	}
	now, err := next.Content()
	if err != nil {
		return nil, err
	}
	oldArchives, err := archives(old.Targets)
	if err != nil {
		return nil, fmt.Errorf("read what is published: %w", err)
	}
	nowArchives, err := archives(now.Targets)
	if err != nil {
		return nil, err
	}
	lines := slices.Concat(
		roleInWords("root", old.Roles.Root, now.Roles.Root),
		roleInWords("targets", old.Roles.Targets, now.Roles.Targets),
		roleInWords("snapshot", old.Roles.Snapshot, now.Roles.Snapshot),
		roleInWords("timestamp", old.Roles.Timestamp, now.Roles.Timestamp),
		short("archive", oldArchives, nowArchives),
		saidInWords(old.Said, now.Said),
		documentInWords("root", old.Root, now.Root),
		documentInWords("targets", old.List, now.List),
	)
	for i := range lines {
		lines[i] = plain.Text(lines[i]) // a name with a line break in it would look like two changes
	}
	return lines, nil
}

// saidInWords shows how what the signed files say changes.
func saidInWords(old, now tuf.Said) []string {
	return slices.Concat(
		rosterInWords(old.Roster, now.Roster),
		value("floor", floorInWords(old.Floor), floorInWords(now.Floor)),
		revokedInWords(old.Revoked, now.Revoked),
		publishersInWords(old.Publishers, now.Publishers),
	)
}

// item is one entry of a list. Entries with one id are the same entry, which may say something else now.
type item struct{ id, text string }

// list shows how a list changes.
func list(what string, old, now []item) (lines []string) {
	before := map[string]string{}
	for _, i := range old {
		before[i.id] = i.text
	}
	for _, i := range now {
		text, was := before[i.id]
		switch {
		case !was:
			lines = append(lines, fmt.Sprintf("+ %s %s", what, i.text))
		case text != i.text:
			lines = append(lines, fmt.Sprintf("~ %s %s (it was: %s)", what, i.text, text))
		}
		delete(before, i.id)
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		lines = append(lines, fmt.Sprintf("- %s %s", what, before[id]))
	}
	return lines
}

// short is list for what can be long: beyond maxListed changes it counts them.
func short(what string, old, now []item) []string {
	lines := list(what, old, now)
	if len(lines) <= maxListed {
		return lines
	}
	count := map[byte]int{}
	for _, l := range lines {
		count[l[0]]++
	}
	slices.Sort(lines)
	return []string{fmt.Sprintf("%d changes of sort %s: %d added, %d changed, %d taken away; the digest of all these lines is %x",
		len(lines), what, count['+'], count['~'], count['-'], sha256.Sum256([]byte(strings.Join(lines, "\n"))))}
}

func value(what, old, now string) []string {
	if old == now {
		return nil
	}
	return []string{fmt.Sprintf("~ %s %s (it was: %s)", what, now, old)}
}

// roleInWords shows the keys of a role in full. As many new keys as went are exchanged ones.
func roleInWords(role string, old, now tuf.Keys) (lines []string) {
	var gone, come []string
	for _, k := range old.Public {
		if !slices.ContainsFunc(now.Public, func(o ed25519.PublicKey) bool { return o.Equal(k) }) {
			gone = append(gone, hex.EncodeToString(k))
		}
	}
	for _, k := range now.Public {
		if !slices.ContainsFunc(old.Public, func(o ed25519.PublicKey) bool { return o.Equal(k) }) {
			come = append(come, hex.EncodeToString(k))
		}
	}
	for i := range min(len(gone), len(come)) {
		lines = append(lines, fmt.Sprintf("~ %s key %s is exchanged for %s", role, gone[i], come[i]))
	}
	for _, k := range come[min(len(gone), len(come)):] {
		lines = append(lines, fmt.Sprintf("+ %s key %s", role, k))
	}
	for _, k := range gone[min(len(gone), len(come)):] {
		lines = append(lines, fmt.Sprintf("- %s key %s", role, k))
	}
	must := func(k tuf.Keys) string { return fmt.Sprintf("%d of %d keys", k.Threshold, len(k.Public)) }
	return append(lines, value(role+" is signed by", must(old), must(now))...)
}

func rosterInWords(old, now events.Roster) []string {
	operators := func(r events.Roster) (items []item) {
		for _, o := range r.Operators {
			items = append(items, item{o.Name, fmt.Sprintf("%s, key %s: %s", o.Name, o.Key, GrantsInWords(o.Grants))})
		}
		return items
	}
	quorums := func(r events.Roster) (items []item) {
		for _, q := range r.Quorums {
			where := "for any machine"
			if len(q.Labels) > 0 {
				where = "for " + events.LabelsText(q.Labels)
			}
			items = append(items, item{where, fmt.Sprintf("%d operators %s", q.Operators, where)})
		}
		return items
	}
	return slices.Concat(
		list("operator", operators(old), operators(now)),
		list("quorum", quorums(old), quorums(now)),
		list("state server", itself(old.StateServers), itself(now.StateServers)),
		list("log key", itself(old.Logs), itself(now.Logs)),
	)
}

// GrantsInWords says which roles an operator has, and over which machines.
func GrantsInWords(grants []events.Grant) string {
	words := make([]string, 0, len(grants))
	for _, g := range grants {
		words = append(words, g.String())
	}
	return strings.Join(words, " ")
}

// itself are entries that are their own text.
func itself(texts []string) (items []item) {
	for _, t := range texts {
		items = append(items, item{t, t})
	}
	return items
}

// archives are the archives among the targets, in order. It refuses a target that is neither an archive
// nor a file that is shown otherwise.
func archives(targets map[string]tuf.Target) (items []item, err error) {
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		if tuf.IsRead(name) {
			continue
		}
		text, _ := strings.CutPrefix(name, "juju-")
		text, _ = strings.CutSuffix(text, ".tgz")
		v, err := version.ParseBinary(text)
		if err != nil || (tools.Tools{Version: v}).FileName() != name {
			return nil, events.Refuse(events.CodeTUFUnknown, "the target %.200q is neither an archive of tools nor a file that this client knows", name)
		}
		t := targets[name]
		items = append(items, archive(tools.Tools{Version: v, Size: t.Length, SHA256: t.SHA256}))
	}
	return items, nil
}

func archive(t tools.Tools) item {
	return item{t.FileName(), fmt.Sprintf("%s, %s, sha256 %s", t.Version, app.Bytes(t.Size), t.SHA256)}
}

// ArchivesInWords shows archives that are to be copied, one a line.
func ArchivesInWords(all []tools.Tools) []string {
	items := make([]item, 0, len(all))
	for _, t := range all {
		items = append(items, archive(t))
	}
	return short("archive", nil, items)
}

func floorInWords(n version.Number) string {
	if n.IsZero() {
		return "none"
	}
	return n.String()
}

func revokedInWords(old, now events.Revoked) []string {
	return slices.Concat(
		short("revoked key", itself(old.Keys), itself(now.Keys)),
		short("revoked archive", itself(old.Artefacts), itself(now.Artefacts)),
		short("revoked request", itself(old.Requests), itself(now.Requests)),
	)
}

// publishersInWords shows the sources as one value, because their order counts.
func publishersInWords(old, now *events.Publishers) []string {
	some := func(p *events.Publishers) events.Publishers {
		if p == nil {
			return events.Publishers{}
		}
		return *p
	}
	or := func(text, none string) string {
		if text == "" {
			return none
		}
		return text
	}
	o, n := some(old), some(now)
	return slices.Concat(
		value("publishers", map[bool]string{true: "none", false: "signed"}[old == nil], map[bool]string{true: "none", false: "signed"}[now == nil]),
		list("publisher", itself(o.Signers), itself(n.Signers)),
		value("sources", or(strings.Join(o.Sources, ", "), "none"), or(strings.Join(n.Sources, ", "), "none")),
		list("source that may be unsigned", itself(o.Unsigned), itself(n.Unsigned)),
		value("stream", or(o.Stream, "released"), or(n.Stream, "released")),
	)
}

// documentInWords shows the document itself, if anything in it changes.
func documentInWords(role string, old, now tuf.Document) []string {
	if old == now {
		return nil
	}
	lines := value(role+" expires", old.Expires.Format(time.RFC3339), now.Expires.Format(time.RFC3339))
	return append(lines, fmt.Sprintf("~ %s version %d (it was: %d); the digest of what is signed is %s", role, now.Version, old.Version, now.SHA256))
}
