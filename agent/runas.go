package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// runAs is a user as whom a workload runs. nil is the agent's own: root, on a machine.
type runAs struct {
	uid, gid int
	groups   []int  // beside gid
	name     string // LOGNAME
	home     string // empty: the unit's own directory
}

// users finds the users of this host, and makes those of services.
type users struct {
	layout install.Layout
	mu     sync.Mutex // two units of one service may start at once
}

// Numbers of users that are made for services. No distribution and no other program gives them
// out. Source: systemd, "Users, Groups, UIDs and GIDs on systemd Systems".
const (
	firstOwnUser = 60578
	lastOwnUser  = 61183
)

// of is the user of a unit. A service's own user is made when it is first asked for: a number
// that nobody has on this host, kept with the agent's files, so that the unit has the same one
// for ever. It needs no entry in /etc/passwd, which the agent may not write.
//
// An agent that is not root can run nothing as another user. It runs as itself what would have a
// user of its own, and refuses other names.
func (u *users) of(spec events.UnitSpec) (*runAs, error) {
	switch own := os.Geteuid(); {
	case spec.User == "" || own != 0 && spec.User == events.UserOwn:
		return nil, nil
	case spec.User == events.UserOwn:
		return u.ownOf(spec.Unit)
	default:
		return named(spec.User, own)
	}
}

// named is a user that is known to the host.
func named(name string, own int) (*runAs, error) {
	found, err := user.Lookup(name)
	if err != nil {
		return nil, events.Refuse(codeNoSuchUser, "there is no user %q on this machine", name)
	}
	r := &runAs{name: name, home: found.HomeDir}
	r.uid, err = strconv.Atoi(found.Uid)
	if err == nil {
		r.gid, err = strconv.Atoi(found.Gid)
	}
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	if r.uid == own {
		return nil, nil
	}
	if own != 0 {
		return nil, events.Refuse(codeNoSuchUser, "the agent of this machine is not root, it can run nothing as %q", name)
	}
	ids, err := found.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("groups of user %s: %w", name, err)
	}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil {
			r.groups = append(r.groups, n)
		}
	}
	return r, nil
}

// file keeps the numbers of services' users.
func (u *users) file() string { return filepath.Join(u.layout.Agent(), "users.json") }

func (u *users) ownOf(unit string) (*runAs, error) {
	service, _, _ := strings.Cut(unit, "/")
	u.mu.Lock()
	defer u.mu.Unlock()
	given := map[string]int{}
	b, err := host.ReadPinned(u.file())
	if err == nil {
		err = json.Unmarshal(b, &given)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the users of services: %w", err)
	}
	id, known := given[service]
	if known && (id < firstOwnUser || id > lastOwnUser) {
		return nil, fmt.Errorf("read the users of services: %s gives %s the number %d; remove that line, and it gets another one", u.file(), service, id)
	}
	if !known {
		if id, err = free(given); err != nil {
			return nil, err
		}
		if given == nil { // the file says null
			given = map[string]int{}
		}
		given[service] = id
		if b, err = json.Marshal(given); err == nil {
			err = host.WriteFile(u.file(), b)
		}
		if err != nil {
			return nil, fmt.Errorf("keep the users of services: %w", err)
		}
	}
	return &runAs{uid: id, gid: id, name: strconv.Itoa(id)}, nil
}

// free is a number that no service and no user of this host has.
func free(given map[string]int) (int, error) {
	taken := slices.Collect(maps.Values(given))
	for id := firstOwnUser; id <= lastOwnUser; id++ {
		_, err := user.LookupId(strconv.Itoa(id))
		var unknown user.UnknownUserIdError
		nobody := errors.As(err, &unknown) || errors.Is(err, fs.ErrNotExist) // a container may have no file of users
		if !slices.Contains(taken, id) && nobody {
			return id, nil
		}
	}
	return 0, events.Refuse(codeNoSuchUser, "all numbers from %d to %d are given to services or users of this machine", firstOwnUser, lastOwnUser)
}

// directory makes the directory in which a unit's workload starts: the unit's own, which is the
// agent's and holds what the agent notes, or, for another user, one of that user in it. He can
// reach it, and see nothing else: what lies beside it is readable by the agent's user only.
func (r *runAs) directory(l install.Layout, unit string) (string, error) {
	dir := l.Unit(unit)
	if err := os.MkdirAll(dir, 0o700); err != nil || r == nil {
		return dir, err
	}
	for _, d := range []string{l.Dir, filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o711); err != nil {
			return "", err
		}
	}
	home := filepath.Join(dir, homeName)
	if err := os.Mkdir(home, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return home, os.Lchown(home, r.uid, r.gid)
}

// homeName is the directory of a workload's user in its unit's directory.
const homeName = "home"

// environment is what a process of that user is told of him.
func (r *runAs) environment(dir string) []string {
	if r == nil {
		return nil
	}
	home := r.home
	if home == "" {
		home = dir
	}
	return []string{"HOME=" + home, "USER=" + r.name, "LOGNAME=" + r.name}
}

// String is how a gate is told as whom to run: user:group:group,group. Empty: as it is.
func (r *runAs) String() string {
	if r == nil {
		return ""
	}
	groups := make([]string, 0, len(r.groups))
	for _, g := range r.groups {
		groups = append(groups, strconv.Itoa(g))
	}
	return fmt.Sprintf("%d:%d:%s", r.uid, r.gid, strings.Join(groups, ","))
}

// parseRunAs reads what String wrote.
func parseRunAs(s string) (*runAs, error) {
	if s == "" {
		return nil, nil
	}
	var ids []int
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ':' || r == ',' }) {
		id, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("%q is no user: %w", s, err)
		}
		ids = append(ids, id)
	}
	if len(ids) < 2 {
		return nil, fmt.Errorf("%q is no user", s)
	}
	return &runAs{uid: ids[0], gid: ids[1], groups: ids[2:]}, nil
}
