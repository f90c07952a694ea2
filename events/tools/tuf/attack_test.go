package tuf_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// world is what every attack begins with: a site in which two of three keys must sign, with two
// publications, and a machine that has accepted the second one.
type world struct {
	*site
	first, second tuf.Bundle
	machine       tuf.Trusted
	now           time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{site: newSite(t, 2), now: start.Add(time.Hour)}
	w.first = w.publish(start)
	w.must(w.repo.SetTools(w.now.Add(90*day), archive("1.26.0")))
	w.second = w.publish(w.now)
	var err error
	w.machine, err = w.begin(w.first).Update(w.second, w.now)
	w.must(err)
	return w
}

// third is a publication that the machine would accept.
func (w *world) third() tuf.Bundle {
	w.must(w.repo.SetTools(w.now.Add(90*day), archive("1.27.0")))
	return w.publish(w.now)
}

// targets is the third publication with changed targets. These keys sign the targets, and snapshot and
// timestamp name them, as if everything were right.
func (w *world) targets(change func(signed map[string]any), keys ...ed25519.PrivateKey) tuf.Bundle {
	return relink(w.t, forge(w.t, w.third(), tuf.Targets, change, keys...), tuf.Targets, w.snap, w.stamp)
}

func (w *world) snapshot(change func(signed map[string]any)) tuf.Bundle {
	return relink(w.t, forge(w.t, w.third(), tuf.Snapshot, change, key(w.snap)), tuf.Snapshot, w.snap, w.stamp)
}

func (w *world) timestamp(change func(signed map[string]any)) tuf.Bundle {
	return forge(w.t, w.third(), tuf.Timestamp, change, key(w.stamp))
}

// nextRoot is the third publication with one more root.
func (w *world) nextRoot(change func(signed map[string]any), keys ...ed25519.PrivateKey) tuf.Bundle {
	return forge(w.t, w.third(), tuf.Root, change, keys...)
}

// raw replaces text in a document after it was signed.
func raw(b tuf.Bundle, role, from, to string) tuf.Bundle {
	b = copied(b)
	*at(&b, role) = bytes.Replace(*at(&b, role), []byte(from), []byte(to), 1)
	return b
}

func set(field string, value any) func(map[string]any) {
	return func(signed map[string]any) { signed[field] = value }
}

func object(v any, path ...string) map[string]any {
	for _, p := range path {
		v = v.(map[string]any)[p]
	}
	return v.(map[string]any)
}

func keysNamed(names ...string) []ed25519.PrivateKey {
	var list []ed25519.PrivateKey
	for _, n := range names {
		list = append(list, key(n))
	}
	return list
}

var (
	rootKeys = keysNamed("root-a", "root-b")
	relKeys  = keysNamed("rel-a", "rel-b")
)

// Each case breaks exactly one thing in a publication that is otherwise valid.
var attacks = []struct {
	name string
	make func(w *world) tuf.Bundle
	code string
}{
	{"BI-21 targets that nobody signed", func(w *world) tuf.Bundle { return w.targets(nil) }, events.CodeTUFThreshold},
	{"BI-21 targets that one of two signed", func(w *world) tuf.Bundle { return w.targets(nil, key("rel-a")) }, events.CodeTUFThreshold},
	{
		"BI-21 targets that a stranger signed as well", func(w *world) tuf.Bundle { return w.targets(nil, keysNamed("rel-a", "stranger")...) },
		events.CodeTUFThreshold,
	},
	{"BI-21 targets changed after signing", func(w *world) tuf.Bundle {
		return relink(w.t, raw(w.third(), tuf.Targets, archive("1.27.0").SHA256, archive("1.25.0").SHA256), tuf.Targets, w.snap, w.stamp)
	}, events.CodeTUFThreshold},
	{"BI-22 one key that signs under two ids", func(w *world) tuf.Bundle {
		b := w.nextRoot(func(s map[string]any) {
			keys, role := object(s, "keys"), object(s, "roles", "targets")
			again := maps.Clone(object(keys, tuf.KeyID(public("rel-a"))))
			again["again"] = "x" // another key id, but the same key
			keys[strings.Repeat("ab", 32)] = again
			role["keyids"] = []any{tuf.KeyID(public("rel-a")), strings.Repeat("ab", 32)}
		}, rootKeys...)
		b = forge(w.t, b, tuf.Targets, nil, key("rel-a"))
		d := parse(w.t, b.Targets)
		d.Signatures = append(d.Signatures, sig{strings.Repeat("ab", 32), d.Signatures[0].Sig})
		b.Targets = d.bytes(w.t)
		return relink(w.t, b, tuf.Targets, w.snap, w.stamp)
	}, events.CodeTUFThreshold},
	{"BI-23 a key id that stands twice among the signatures", func(w *world) tuf.Bundle {
		b := w.third()
		d := parse(w.t, b.Targets)
		d.Signatures = append(d.Signatures, d.Signatures[0])
		b.Targets = d.bytes(w.t)
		return relink(w.t, b, tuf.Targets, w.snap, w.stamp)
	}, events.CodeTUFFormat},
	{"BI-23 a key id that stands twice in a role", func(w *world) tuf.Bundle {
		return w.nextRoot(func(s map[string]any) {
			role := object(s, "roles", "targets")
			ids := role["keyids"].([]any)
			role["keyids"] = append(ids, ids[0])
		}, rootKeys...)
	}, events.CodeTUFFormat},
	{"BI-24 threshold 0", func(w *world) tuf.Bundle {
		return w.nextRoot(func(s map[string]any) { object(s, "roles", "targets")["threshold"] = 0 }, rootKeys...)
	}, events.CodeTUFFormat},
	{"BI-24 threshold -1", func(w *world) tuf.Bundle {
		return w.nextRoot(func(s map[string]any) { object(s, "roles", "timestamp")["threshold"] = -1 }, rootKeys...)
	}, events.CodeTUFFormat},
	{"BI-24 a role that the root leaves out", func(w *world) tuf.Bundle {
		return w.nextRoot(func(s map[string]any) { delete(object(s, "roles"), "snapshot") }, rootKeys...)
	}, events.CodeTUFFormat},
	{"BI-24 a threshold that no keys reach", func(w *world) tuf.Bundle {
		return w.nextRoot(func(s map[string]any) { object(s, "roles", "targets")["threshold"] = 4 }, rootKeys...)
	}, events.CodeTUFThreshold},
	{"BI-25 root N+2 as N+1", func(w *world) tuf.Bundle { return w.nextRoot(set("version", 3), rootKeys...) }, events.CodeTUFRollback},
	{"BI-26 a root that only its own keys signed", func(w *world) tuf.Bundle {
		w.root = []string{"root-x", "root-y", "root-z"}
		w.must(w.repo.SetRoles(w.roles(), w.now.Add(365*day)))
		_, err := w.repo.Sign(tuf.Root, signers("root-x", "root-y")...)
		w.must(err)
		return w.publish(w.now)
	}, events.CodeTUFThreshold},
	{"BI-26 a root that only the keys before signed", func(w *world) tuf.Bundle {
		w.root = []string{"root-x", "root-y", "root-z"}
		w.must(w.repo.SetRoles(w.roles(), w.now.Add(365*day)))
		_, err := w.repo.Sign(tuf.Root, signers("root-a", "root-b")...)
		w.must(err)
		return w.publish(w.now)
	}, events.CodeTUFThreshold},
	{"BI-28 the timestamp of before", func(w *world) tuf.Bundle { b := w.second; b.Timestamp = w.first.Timestamp; return b }, events.CodeTUFRollback},
	{"BI-28 the whole publication of before", func(w *world) tuf.Bundle { return w.first }, events.CodeTUFRollback},
	{"BI-28 a newer timestamp of an older snapshot", func(w *world) tuf.Bundle {
		b := forge(w.t, w.first, tuf.Timestamp, set("version", 9), key(w.stamp))
		return b
	}, events.CodeTUFRollback},
	{"BI-29 a snapshot that leaves the targets out", func(w *world) tuf.Bundle {
		return w.snapshot(func(s map[string]any) {
			s["meta"] = map[string]any{"other.json": map[string]any{"version": 1}}
		})
	}, events.CodeTUFFormat},
	{"BI-29 a snapshot that drops a role", func(w *world) tuf.Bundle {
		with := w.snapshot(func(s map[string]any) { object(s, "meta")["more.json"] = map[string]any{"version": 1} })
		var err error
		w.machine, err = w.machine.Update(with, w.now)
		w.must(err)
		w.repo.After(with)
		return w.third()
	}, events.CodeTUFRollback},
	{"BI-29 a snapshot of older targets", func(w *world) tuf.Bundle {
		b := w.third()
		b.Targets, b.Files = w.first.Targets, w.first.Files
		return relink(w.t, b, tuf.Targets, w.snap, w.stamp)
	}, events.CodeTUFRollback},
	{"BI-30 the snapshot of before", func(w *world) tuf.Bundle { b := w.third(); b.Snapshot = w.second.Snapshot; return b }, events.CodeTUFMismatch},
	{"BI-30 the targets of before", func(w *world) tuf.Bundle { b := w.third(); b.Targets = w.second.Targets; return b }, events.CodeTUFMismatch},
	{"BI-30 a timestamp that names another version", func(w *world) tuf.Bundle {
		return w.timestamp(func(s map[string]any) { object(s, "meta", "snapshot.json")["version"] = 77 })
	}, events.CodeTUFMismatch},
	{"BI-30 a snapshot that names another version", func(w *world) tuf.Bundle {
		return w.snapshot(func(s map[string]any) { object(s, "meta", "targets.json")["version"] = 77 })
	}, events.CodeTUFMismatch},
	{"BI-31 an expired timestamp", func(w *world) tuf.Bundle { b := w.third(); w.now = w.now.Add(2 * day); return b }, events.CodeTUFExpired},
	{"BI-31 the timestamp that one has, expired", func(w *world) tuf.Bundle { w.now = w.now.Add(2 * day); return w.second }, events.CodeTUFExpired},
	{"BI-31 an expired snapshot", func(w *world) tuf.Bundle { return w.snapshot(set("expires", "2015-05-01T00:00:00Z")) }, events.CodeTUFExpired},
	{"BI-31 expired targets", func(w *world) tuf.Bundle { return w.targets(set("expires", "2015-05-01T00:00:00Z"), relKeys...) }, events.CodeTUFExpired},
	{"BI-31 an expired root", func(w *world) tuf.Bundle { return w.nextRoot(set("expires", "2015-05-01T00:00:00Z"), rootKeys...) }, events.CodeTUFExpired},
	{"BI-33 a timestamp without entries", func(w *world) tuf.Bundle { return w.timestamp(set("meta", map[string]any{})) }, events.CodeTUFFormat},
	{
		"BI-33 a timestamp with a null entry", func(w *world) tuf.Bundle { return w.timestamp(set("meta", map[string]any{"snapshot.json": nil})) },
		events.CodeTUFFormat,
	},
	{"BI-33 a timestamp without meta", func(w *world) tuf.Bundle { return w.timestamp(set("meta", nil)) }, events.CodeTUFFormat},
	{
		"BI-33 a snapshot with a null entry", func(w *world) tuf.Bundle { return w.snapshot(set("meta", map[string]any{"targets.json": nil})) },
		events.CodeTUFFormat,
	},
	{"BI-33 targets with a null entry", func(w *world) tuf.Bundle {
		return w.targets(func(s map[string]any) { object(s, "targets")["x"] = nil }, relKeys...)
	}, events.CodeTUFFormat},
	{"BI-33 a root with a null key", func(w *world) tuf.Bundle {
		return w.nextRoot(func(s map[string]any) { object(s, "keys")[tuf.KeyID(public("rel-a"))] = nil }, rootKeys...)
	}, events.CodeTUFFormat},
	{"BI-33 a target without digests", func(w *world) tuf.Bundle {
		return w.targets(func(s map[string]any) { object(s, "targets")["x"] = map[string]any{"length": 1} }, relKeys...)
	}, events.CodeTUFFormat},
	{"BI-34 a key of 0 bytes", func(w *world) tuf.Bundle { return w.withKey("") }, events.CodeTUFThreshold},
	{"BI-34 a key of 31 bytes", func(w *world) tuf.Bundle { return w.withKey(strings.Repeat("ab", 31)) }, events.CodeTUFThreshold},
	{"BI-34 a key of 1500 bytes", func(w *world) tuf.Bundle { return w.withKey(strings.Repeat("ab", 1500)) }, events.CodeTUFThreshold},
	{"BI-34 a key that is no hex", func(w *world) tuf.Bundle { return w.withKey("xyz") }, events.CodeTUFThreshold},
	{"BI-35 a version 1.5", func(w *world) tuf.Bundle { return raw(w.third(), tuf.Timestamp, `"version":3`, `"version":1.5`) }, events.CodeTUFFormat},
	{"BI-35 a version 3e0", func(w *world) tuf.Bundle { return raw(w.third(), tuf.Timestamp, `"version":3`, `"version":3e0`) }, events.CodeTUFFormat},
	{"BI-35 a version 10^20", func(w *world) tuf.Bundle {
		return raw(w.third(), tuf.Timestamp, `"version":3`, `"version":100000000000000000000`)
	}, events.CodeTUFFormat},
	{"BI-35 a version NaN", func(w *world) tuf.Bundle { return raw(w.third(), tuf.Timestamp, `"version":3`, `"version":NaN`) }, events.CodeTUFFormat},
	{"BI-35 a version 0", func(w *world) tuf.Bundle { return w.timestamp(set("version", 0)) }, events.CodeTUFFormat},
	{"BI-36 a key that stands twice", func(w *world) tuf.Bundle {
		return raw(w.third(), tuf.Timestamp, `"version":3`, `"version":3,"version":9`)
	}, events.CodeTUFFormat},
	{"BI-36 a key that stands twice in another case", func(w *world) tuf.Bundle {
		return raw(w.third(), tuf.Timestamp, `"version":3`, `"version":3,"Version":9`)
	}, events.CodeTUFFormat},
	{
		"BI-36 something behind the document", func(w *world) tuf.Bundle { b := w.third(); b.Timestamp = append(b.Timestamp, '{', '}'); return b },
		events.CodeTUFFormat,
	},
	{"BI-38 a target ../../etc/x", func(w *world) tuf.Bundle { return w.withTarget("../../etc/x") }, events.CodeTUFFormat},
	{"BI-38 a target /etc/x", func(w *world) tuf.Bundle { return w.withTarget("/etc/x") }, events.CodeTUFFormat},
	{"BI-38 a target with NUL", func(w *world) tuf.Bundle { return w.withTarget("x\x00.tgz") }, events.CodeTUFFormat},
	{"BI-38 a target of 4 KiB", func(w *world) tuf.Bundle { return w.withTarget(strings.Repeat("x", 4096)) }, events.CodeTUFFormat},
	{"BI-38 a target in another script", func(w *world) tuf.Bundle { return w.withTarget("jujᵤ.tgz") }, events.CodeTUFFormat},
	{"BI-38 a target with backslashes", func(w *world) tuf.Bundle { return w.withTarget(`..\..\x`) }, events.CodeTUFFormat},
	{"BI-38 a role ../x", func(w *world) tuf.Bundle {
		return w.snapshot(func(s map[string]any) { object(s, "meta")["../x.json"] = map[string]any{"version": 1} })
	}, events.CodeTUFFormat},
	{"a document of another role", func(w *world) tuf.Bundle { b := w.third(); b.Timestamp = b.Snapshot; return b }, events.CodeTUFFormat},
	{"another specification", func(w *world) tuf.Bundle { return w.timestamp(set("spec_version", "2.0.0")) }, events.CodeTUFFormat},
	{"made after it expires", func(w *world) tuf.Bundle { return w.timestamp(set("made", "2045-01-01T00:00:00Z")) }, events.CodeTUFFormat},
	{"a file that was changed", func(w *world) tuf.Bundle {
		b := copied(w.third())
		b.Files[tuf.FileOperators] = bytes.ReplaceAll(b.Files[tuf.FileOperators], []byte("alice"), []byte("mallo"))
		return b
	}, events.CodeTUFMismatch},
	{"a file that is missing", func(w *world) tuf.Bundle { b := copied(w.third()); delete(b.Files, tuf.FileFloor); return b }, events.CodeTUFMismatch},
	{"a file that nobody signed", func(w *world) tuf.Bundle { b := copied(w.third()); b.Files["more"] = []byte("x"); return b }, events.CodeTUFMismatch},
	{"operators that are nobody", func(w *world) tuf.Bundle {
		w.must(w.repo.SetFile(w.now.Add(day), tuf.FileOperators, []byte(`{}`)))
		return w.publish(w.now)
	}, events.CodeTUFFormat},
	{"operators with a field of tomorrow", func(w *world) tuf.Bundle {
		w.must(w.repo.SetFile(w.now.Add(day), tuf.FileOperators, []byte(`{"operators":[{"name":"a","key":"U"}],"unless":"sunday"}`)))
		return w.publish(w.now)
	}, events.CodeTUFFormat},
}

// withKey replaces two of the three keys of the targets by keys of another length. Their signatures do not
// count, and one signature is too few.
func (w *world) withKey(public string) tuf.Bundle {
	b := w.nextRoot(func(s map[string]any) {
		for _, name := range []string{"rel-b", "rel-c"} {
			object(s, "keys", tuf.KeyID(key(name).Public().(ed25519.PublicKey)), "keyval")["public"] = public
		}
	}, rootKeys...)
	return relink(w.t, forge(w.t, b, tuf.Targets, nil, relKeys...), tuf.Targets, w.snap, w.stamp)
}

func (w *world) withTarget(name string) tuf.Bundle {
	return w.targets(func(s map[string]any) {
		object(s, "targets")[name] = map[string]any{"length": 1, "hashes": map[string]any{"sha256": archive("1.25.0").SHA256}}
	}, relKeys...)
}

func TestAttacksOnMetadata(t *testing.T) {
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			w := newWorld(t)
			bundle := a.make(w)
			before := w.machine.Marshal()
			after, err := w.machine.Update(bundle, w.now)
			refused(t, err, a.code)
			if !bytes.Equal(after.Marshal(), before) {
				t.Error("what was refused changed what is trusted")
			}
		})
	}
}

// What the attacks change is accepted if nothing is changed.
func TestForgeryItselfIsWell(t *testing.T) {
	w := newWorld(t)
	for name, b := range map[string]tuf.Bundle{
		"targets": w.targets(nil, relKeys...), "snapshot": w.snapshot(nil), "timestamp": w.timestamp(nil), "root": w.nextRoot(nil, rootKeys...),
	} {
		if _, err := w.machine.Update(b, w.now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key of a wrong length does not count, and the other keys of its role do.
func TestBI34KeysThatAreNoneDoNotCount(t *testing.T) {
	w := newWorld(t)
	b := w.nextRoot(func(s map[string]any) {
		for _, name := range []string{"rel-c", "root-c"} {
			object(s, "keys", tuf.KeyID(public(name)), "keyval")["public"] = "abcd"
		}
	}, rootKeys...)
	if _, err := w.machine.Update(b, w.now); err != nil {
		t.Error("BI-34: ", err)
	}
}

// A thief signs with the online keys the highest versions and a time far in the future, which no honest
// document can pass. When a root has replaced these keys, the machine forgets both.
func TestBI32FastForwardEndsWithTheKeys(t *testing.T) {
	w := newWorld(t)
	stolen := w.snapshot(set("version", json.Number(fmt.Sprint(math.MaxInt64))))
	stolen = forge(t, stolen, tuf.Timestamp, func(s map[string]any) {
		s["version"], s["made"], s["expires"] = json.Number(fmt.Sprint(math.MaxInt64)), "2100-01-01T00:00:00Z", "2200-01-01T00:00:00Z"
		object(s, "meta", "snapshot.json")["version"] = json.Number(fmt.Sprint(math.MaxInt64))
	}, key(w.stamp))
	machine, err := w.machine.Update(stolen, w.now)
	w.must(err)
	_, err = machine.Update(w.third(), w.now)
	refused(t, err, events.CodeTUFExpired) // at that time everything that is signed today has expired

	w.rotate(1, w.now)
	w.repo.After(stolen) // the state server has them too
	machine, err = machine.Update(w.publish(w.now), w.now)
	if err != nil || machine.Versions().Timestamp != 1 || machine.Versions().Snapshot != 1 {
		t.Errorf("BI-32: after the rotation it has %+v: %v", machine.Versions(), err)
	}
	if !machine.Now(w.now).Equal(w.now) {
		t.Errorf("BI-32: the stolen time stays: %s", machine.Now(w.now))
	}
	_, err = machine.Update(w.second, w.now)
	refused(t, err, events.CodeTUFThreshold)
}

// Targets do not go back to an older version when the snapshot's key is replaced, although the machine then
// forgets the snapshot that named the newer ones.
func TestTargetsStayWhenTheSnapshotIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.snap = "snap-new"
	w.must(w.repo.SetRoles(w.roles(), w.now.Add(365*day)))
	_, err := w.repo.Sign(tuf.Root, signers(w.root...)...)
	w.must(err)
	b := w.publish(w.now)
	b.Targets, b.Files = w.first.Targets, w.first.Files
	_, err = w.machine.Update(relink(t, b, tuf.Targets, w.snap, w.stamp), w.now)
	refused(t, err, events.CodeTUFRollback)
}

func TestBI37SizesAreLookedAtFirst(t *testing.T) {
	w := newWorld(t)
	deep := strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)
	cases := map[string]func(b *tuf.Bundle){
		"BI-37 a timestamp past its size": func(b *tuf.Bundle) { b.Timestamp = padded(b.Timestamp, tuf.MaxTimestamp+1) },
		"BI-37 a snapshot past its size":  func(b *tuf.Bundle) { b.Snapshot = padded(b.Snapshot, tuf.MaxSnapshot+1) },
		"BI-37 targets of 10 MB":          func(b *tuf.Bundle) { b.Targets = padded(b.Targets, 10<<20) },
		"BI-37 a root past its size":      func(b *tuf.Bundle) { b.Roots[0] = padded(b.Roots[0], tuf.MaxRoot+1) },
		"BI-37 a file past its size":      func(b *tuf.Bundle) { b.Files["more"] = make([]byte, tuf.MaxFile+1) },
		"BI-37 10,000 levels":             func(b *tuf.Bundle) { b.Timestamp = []byte(deep[:tuf.MaxTimestamp]) },
		"BI-37 10,000 levels of targets":  func(b *tuf.Bundle) { b.Targets = []byte(deep) },
		"BI-37 9 levels":                  func(b *tuf.Bundle) { b.Timestamp = []byte(deep[:9*5] + "1" + strings.Repeat("}", 9)) },
		"BI-37 65 signatures": func(b *tuf.Bundle) {
			d := parse(t, b.Targets)
			for i := range 65 {
				d.Signatures = append(d.Signatures, sig{hex.EncodeToString([]byte{byte(i)}), "00"})
			}
			b.Targets = d.bytes(t)
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			b := copied(w.second)
			change(&b)
			_, err := w.machine.Update(b, w.now)
			refused(t, err, events.CodeTUFFormat)
		})
	}
	t.Run("BI-37 memory", func(t *testing.T) {
		b := copied(w.second)
		b.Targets = padded(b.Targets, 10<<20)
		whole := b.Marshal()
		if grown := allocated(func() {
			_, err := tuf.ParseBundle(whole)
			refused(t, err, events.CodeTUFFormat)
		}); grown > 32<<20 {
			t.Errorf("reading a bundle of %d bytes took %d", len(whole), grown)
		}
		if grown := allocated(func() {
			_, err := tuf.ParseBundle(make([]byte, tuf.MaxBundle+1))
			refused(t, err, events.CodeTUFFormat)
		}); grown > tuf.MaxBundle+1<<20 {
			t.Errorf("refusing a bundle for its size took %d bytes", grown)
		}
	})
	t.Run("BI-37 all at their limits", func(t *testing.T) {
		b := copied(w.second)
		b.Timestamp, b.Snapshot = padded(b.Timestamp, tuf.MaxTimestamp), padded(b.Snapshot, tuf.MaxSnapshot)
		_, err := w.machine.Update(b, w.now)
		refused(t, err, events.CodeTUFMismatch) // the length of a snapshot is signed; that of a timestamp is not
	})
}

// padded is a document with blanks behind it, so that it is valid and has this length.
func padded(b []byte, size int) []byte {
	return append(slices.Clone(b), bytes.Repeat([]byte(" "), size-len(b))...)
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// BI-40 in memory: if any one bit of the kept bytes is flipped, they are refused or the bit has no meaning.
// The file on disk has a checksum besides (agent/trusted_test.go).
func TestBI40KeptBytesAreVerifiedAgain(t *testing.T) {
	w := newWorld(t)
	good := w.machine.Marshal()
	for i := 0; i < len(good); i += 97 {
		for _, bit := range []byte{1, 4, 0x20} {
			b := slices.Clone(good)
			b[i] ^= bit
			got, err := tuf.ParseTrusted(b)
			if err != nil {
				if events.CodeOf(err) == "" {
					t.Fatalf("BI-40: byte %d: %v is no refusal", i, err)
				}
				continue
			}
			if got.Versions() != w.machine.Versions() {
				t.Fatalf("BI-40: byte %d changed what is trusted to %+v", i, got.Versions())
			}
		}
	}
	for _, b := range [][]byte{nil, {}, make([]byte, len(good)), good[:len(good)/2]} {
		if _, err := tuf.ParseTrusted(b); events.CodeOf(err) == "" {
			t.Errorf("BI-40: %d bytes: %v", len(b), err)
		}
	}
}

func TestBeginAsksForThePinnedRoot(t *testing.T) {
	w := newWorld(t)
	other := newSite(t, 1)
	for _, a := range []tuf.Anchor{{}, tuf.AnchorOf([]byte("x")), other.repo.Anchor()} {
		_, err := tuf.Begin(a, w.first.Roots[0])
		refused(t, err, events.CodeTUFAnchor)
		_, err = tuf.Open(a, w.first, w.now)
		refused(t, err, events.CodeTUFAnchor)
	}
	unsigned, err := tuf.NewRepository(w.roles(), start.Add(day), start.Add(day))
	w.must(err)
	_, err = tuf.Begin(unsigned.Anchor(), unsigned.Bundle().Roots[0])
	refused(t, err, events.CodeTUFThreshold)
}
