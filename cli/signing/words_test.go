package signing

import (
	"crypto/ed25519"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
)

var (
	begin = time.Date(2015, 6, 1, 12, 0, 0, 0, time.UTC)
	year  = 365 * 24 * time.Hour
)

func private(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(slices.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(n byte) ed25519.PublicKey { return private(n).Public().(ed25519.PublicKey) }

func operator(name, key, role string) events.Operator {
	return events.Operator{Name: name, Key: key, Grants: []events.Grant{{Role: role}}}
}

// beginning is the metadata of an environment of ann, whose keys are 1 and 2.
func beginning(t *testing.T) *tuf.Repository {
	t.Helper()
	roster := events.Roster{Operators: []events.Operator{operator("ann", "UANN", events.RoleAdmin)}}
	repo, err := tuf.First(roster, nil, private(1), private(2), tuf.Online{Snapshot: public(3), Timestamp: public(4)}, begin)
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

func build(v string) tools.Tools {
	b, err := version.ParseBinary(v + "-trusty-amd64")
	if err != nil {
		panic(err)
	}
	return tools.Tools{Version: b, Size: 3 << 20, SHA256: strings.Repeat("ab", 32)}
}

// Case B09: a colleague's draft is read out before it is signed: who is let in, as what, whose keys
// are exchanged for whose, and everything else that it changes.
func TestB09ADraftIsShownInWords(t *testing.T) {
	published, next := beginning(t), beginning(t)
	roles := next.Roles()
	roles.Root = tuf.Keys{Public: []ed25519.PublicKey{public(9)}, Threshold: 1}
	roles.Targets = tuf.Keys{Public: []ed25519.PublicKey{public(2), public(8)}, Threshold: 2}
	floor, err := version.Parse("1.24.0")
	expires := begin.Add(2 * year)
	for _, change := range []error{
		err, next.SetTools(expires, build("1.25.1")),
		next.SetJSON(expires, tuf.FileFloor, tuf.Floor{Version: floor}),
		next.SetJSON(expires, tuf.FileRevoked, events.Revoked{Keys: []string{"UBOB"}}),
		next.SetJSON(expires, tuf.FilePublishers, events.Publishers{Signers: []string{strings.Repeat("cd", 32)}, Sources: []string{"/srv/tools\n+ operator eve"}}),
		next.SetJSON(expires, tuf.FileOperators, events.Roster{
			Operators: []events.Operator{
				operator("ann", "UANN2", events.RoleAdmin),
				{Name: "eve", Key: "UEVE", Grants: []events.Grant{{Role: events.RoleOperate, Labels: map[string]string{"env": "prod"}}}},
			},
			Quorums: []events.Quorum{{Operators: 2}},
		}),
		next.SetRoles(roles, begin.Add(4*year)),
	} {
		if change != nil {
			t.Fatal(change)
		}
	}
	lines, err := inWords(published, next)
	if err != nil {
		t.Fatal(err)
	}
	content, err := next.Content()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		fmt.Sprintf("~ root key %x is exchanged for %x", public(1), public(9)),
		fmt.Sprintf("+ targets key %x", public(8)),
		"~ targets is signed by 2 of 2 keys (it was: 1 of 1 keys)",
		"+ archive 1.25.1-trusty-amd64, 3.0 MiB, sha256 " + strings.Repeat("ab", 32),
		"~ operator ann, key UANN2: admin (it was: ann, key UANN: admin)",
		"+ operator eve, key UEVE: operate(env=prod)",
		"+ quorum 2 operators for any machine",
		"~ floor 1.24.0 (it was: none)",
		"+ revoked key UBOB",
		"~ publishers signed (it was: none)",
		"+ publisher " + strings.Repeat("cd", 32),
		`~ sources /srv/tools\n+ operator eve (it was: none)`,
		"~ root expires 2019-05-31T12:00:00Z (it was: 2018-05-31T12:00:00Z)",
		"~ root version 2 (it was: 1); the digest of what is signed is " + content.Root.SHA256,
		"~ targets expires 2017-05-31T12:00:00Z (it was: 2016-05-31T12:00:00Z)",
		"~ targets version 2 (it was: 1); the digest of what is signed is " + content.List.SHA256,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

// Many archives are shown as numbers and a digest, which is another one if one of them is.
func TestManyArchivesAreShownAsADigest(t *testing.T) {
	shown := func(last string) string {
		next := beginning(t)
		var list []tools.Tools
		for i := range maxListed {
			list = append(list, build(fmt.Sprintf("1.25.%d", i)))
		}
		if err := next.SetTools(begin.Add(year), append(list, build(last))...); err != nil {
			t.Fatal(err)
		}
		lines, err := inWords(beginning(t), next)
		if err != nil {
			t.Fatal(err)
		}
		return lines[0]
	}
	one, other := shown("1.26.0"), shown("1.27.0")
	if !strings.HasPrefix(one, "21 changes of sort archive: 21 added, 0 changed, 0 taken away; the digest of all these lines is ") || one == other {
		t.Errorf("shown as\n%s\n%s", one, other)
	}
}

// A target that this client does not know is named and not signed.
func TestB09AnUnknownTargetIsNotSigned(t *testing.T) {
	for _, name := range []string{"policy.json", "juju-1.25.1-trusty-amd64.exe", "1.25.1-trusty-amd64.tgz"} {
		next := beginning(t)
		if err := next.SetFile(begin.Add(year), name, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if _, err := inWords(beginning(t), next); events.CodeOf(err) != events.CodeTUFUnknown || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever adds a field to what the files say must say it in words, too: a change of any field is shown.
func TestEveryFieldIsShown(t *testing.T) {
	for _, of := range []reflect.Type{
		reflect.TypeFor[events.Operator](), reflect.TypeFor[events.Grant](), reflect.TypeFor[events.Quorum](), reflect.TypeFor[events.Roster](),
		reflect.TypeFor[events.Revoked](), reflect.TypeFor[events.Publishers](), reflect.TypeFor[tuf.Said](),
	} {
		for f := range of.Fields() {
			if f.Type == reflect.TypeFor[[]events.Operator]() || f.Type == reflect.TypeFor[[]events.Quorum]() || f.Type == reflect.TypeFor[[]events.Grant]() ||
				f.Type.PkgPath() == reflect.TypeFor[events.Roster]().PkgPath() {
				continue // its own fields are looked at
			}
			value := reflect.New(of).Elem()
			set(t, value.FieldByIndex(f.Index))
			if slices.Equal(shownOf(value.Interface()), shownOf(reflect.New(of).Elem().Interface())) {
				t.Errorf("%s.%s is not shown", of, f.Name)
			}
		}
	}
}

// set gives a field some value.
func set(t *testing.T, f reflect.Value) {
	switch f.Interface().(type) {
	case string:
		f.SetString("x")
	case int:
		f.SetInt(7)
	case []string:
		f.Set(reflect.ValueOf([]string{"x"}))
	case map[string]string:
		f.Set(reflect.ValueOf(map[string]string{"x": "y"}))
	case version.Number:
		f.Set(reflect.ValueOf(version.Number{Major: 7}))
	case *events.Publishers:
		f.Set(reflect.ValueOf(&events.Publishers{}))
	default:
		t.Errorf("no value of type %s is known here", f.Type())
	}
}

// shownOf is what is shown of a value that is new.
func shownOf(value any) []string {
	switch v := value.(type) {
	case events.Grant:
		return shownOf(events.Operator{Grants: []events.Grant{v}})
	case events.Operator:
		return shownOf(events.Roster{Operators: []events.Operator{v}})
	case events.Quorum:
		return shownOf(events.Roster{Quorums: []events.Quorum{v}})
	case events.Roster:
		return shownOf(tuf.Said{Roster: v})
	case events.Revoked:
		return shownOf(tuf.Said{Revoked: v})
	case events.Publishers:
		return shownOf(tuf.Said{Publishers: &v})
	case tuf.Said:
		return saidInWords(tuf.Said{}, v)
	}
	return nil
}
