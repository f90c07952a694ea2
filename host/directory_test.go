package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every parent of a directory decides what lies under its name (B23).
func TestB23DirectoriesThatOthersCouldExchange(t *testing.T) {
	base := t.TempDir()
	at := func(names ...string) string { return filepath.Join(append([]string{base}, names...)...) }
	make := func(path string, mode fs.FileMode) string {
		if err := errors.Join(os.MkdirAll(path, 0o755), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := func(target, path string) string {
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	below := func(parent string) string { return make(filepath.Join(parent, "juju"), 0o700) }
	theirs := func(path string) string {
		if os.Geteuid() == 0 {
			if err := os.Lchown(path, 65534, -1); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	type case_ struct{ path, want string }
	cases := map[string]case_{
		"its own":                        {below(at("own")), ""},
		"a sticky parent":                {below(make(at("sticky"), 0o777|fs.ModeSticky)), ""},
		"a link of its own":              {link("own", at("link")) + "/juju", ""},
		"a parent that all may write":    {below(make(at("all"), 0o777)), at("all") + " can be written by others (mode drwxrwxrwx"},
		"a grandparent that all write":   {below(below(make(at("grand"), 0o757))), at("grand") + " can be written by others"},
		"missing, below what all write":  {filepath.Join(make(at("open"), 0o777), "a", "b"), at("open") + " can be written by others"},
		"missing, below its own":         {at("own", "a", "b"), "no such file or directory"},
		"a file":                         {write(t, at("own", "file")), "not a directory"},
		"a link through what all write":  {link(at("all"), at("through")) + "/juju", at("all") + " can be written by others"},
		"a link to itself":               {link("round", at("round")), "too many levels of symbolic links"},
		"a directory that all may write": {make(at("own", "all"), 0o777), "can be written by others"},
	}
	group := below(make(at("group"), 0o770))
	if os.Geteuid() == 0 {
		if err := os.Chown(at("group"), 0, 100); err != nil {
			t.Fatal(err)
		}
		cases["a parent that a group may write"] = case_{group, at("group") + " can be written by others (mode drwxrwx---; it is user 0's, of group 100)"}
		cases["a parent of somebody else"] = case_{below(theirs(make(at("theirs"), 0o755))), at("theirs") + " is user 65534's (mode drwxr-xr-x)"}
		cases["a link of somebody else"] = case_{theirs(link("own", at("theirlink"))) + "/juju", at("theirlink") + " is user 65534's"}
	}
	for name, c := range cases {
		err := CheckDirectory(c.path)
		if missing := strings.HasPrefix(name, "missing, below its own"); missing && err != nil {
			t.Errorf("%s: to ask: %v", name, err)
		}
		d, err := OpenDirectory(c.path)
		if err == nil {
			err = errors.Join(d.Again(), d.Close())
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if strings.Contains(c.want, "others") != errors.Is(err, ErrNotOurs) && !strings.Contains(c.want, "65534") {
			t.Errorf("%s: %v is not told apart", name, err)
		}
	}
	if err := MakeDirectory(at("open", "a", "b")); !errors.Is(err, ErrNotOurs) {
		t.Errorf("made below what all may write: %v", err)
	}
	if _, err := os.Lstat(at("open", "a")); err == nil {
		t.Error("something was made there")
	}
	if err := MakeDirectory(at("own", "a", "b")); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(at("own", "a", "b")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("made: %v, %v", info, err)
	}
}

// What is believed is refused in a file, and at a place, that others can change.
func TestPinnedFilesAreTheirOwners(t *testing.T) {
	dir := t.TempDir()
	at := func(name string, mode fs.FileMode) string {
		path := write(t, filepath.Join(dir, name))
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	open := filepath.Join(dir, "open")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777), os.Symlink("pins", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{
		at("pins", 0o644):             "",
		at("group", 0o664):            "others can write it (mode -rw-rw-r--); after `chmod 600 ",
		at("all", 0o606):              "others can write it",
		write(t, open+"/pins"):        open + " can be written by others",
		filepath.Join(dir, "link"):    "it is a symbolic link",
		filepath.Join(dir, "missing"): "no such file or directory",
		dir:                           "it is no file",
	}
	if os.Geteuid() == 0 {
		theirs := at("theirs", 0o644)
		if err := os.Chown(theirs, 65534, -1); err != nil {
			t.Fatal(err)
		}
		cases[theirs] = "it is user 65534's, not yours"
	}
	for path, want := range cases {
		b, err := ReadPinned(path)
		if want == "" && (err != nil || string(b) != "x") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %q, %v, want %q", path, b, err, want)
		}
	}
}

func write(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
