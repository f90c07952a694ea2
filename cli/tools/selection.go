package tools

import (
	"slices"
	"strconv"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/streams"
)

// selection says which archives are wanted.
type selection struct {
	auto      bool // number is not known yet: the versions are chosen as upgrade-juju would
	number    func(version.Number) bool
	series    []string            // empty: all
	arches    []string            // likewise
	platforms map[string][]string // in use, when only those are wanted; nil: all
}

// selection reads the flags that select.
func (y *syncTools) selection() (selection, error) {
	sel := selection{series: y.series, arches: y.arches}
	switch {
	case !slices.Contains([]string{"tabular", "json", "yaml"}, y.format):
		return sel, app.Usage("format %q is not tabular, json or yaml", y.format)
	case y.verify && (y.all || y.dryRun || y.version != "" || y.source != "" || y.localDir != "" || y.stream != ""):
		return sel, app.Usage("--verify looks at the store as it is: of the other flags only --format goes with it")
	case len(y.signers) > 0 && y.localDir == "":
		return sel, app.Usage("--signer goes with --local-dir; an environment believes its signed publishers")
	case y.all && y.version != "":
		return sel, app.Usage("--all and --version do not go together")
	case y.all:
		major := version.Current().Major
		sel.number = func(n version.Number) bool { return n.Major == major }
	case y.version == "":
		sel.auto = true
	default:
		numbers, err := parseMinor(y.version)
		if err != nil {
			return sel, err
		}
		sel.number = func(n version.Number) bool {
			return n.Major == numbers[0] && (len(numbers) == 1 || n.Minor == numbers[1])
		}
	}
	return sel, nil
}

// parseMinor reads a major or major.minor.
func parseMinor(text string) ([]int, error) {
	parts := strings.Split(text, ".")
	if len(parts) > 2 {
		return nil, app.Usage("--version takes major.minor only: use %q not %q", parts[0]+"."+parts[1], text)
	}
	var numbers []int
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil || len(p) > 9 || strconv.FormatUint(n, 10) != p {
			return nil, app.Usage("--version %q is not major or major.minor, such as 1.23", text)
		}
		numbers = append(numbers, int(n))
	}
	return numbers, nil
}

// of gives the wanted archives among those that were found. A revoked archive is never wanted.
func (sel selection) of(a *app.App, found []streams.Found) []streams.Found {
	var wanted []streams.Found
	for _, f := range found {
		switch {
		case !sel.wants(f):
		case f.Revoked != "":
			a.Say("%s is left out: it is revoked: %s", f.Version, f.Revoked)
		default:
			wanted = append(wanted, f)
		}
	}
	return wanted
}

func (sel selection) wants(f streams.Found) bool {
	v := f.Version
	if sel.platforms != nil && sel.platforms[v.Platform()] == nil {
		return false
	}
	return sel.number(v.Number) && among(sel.series, v.Series) && among(sel.arches, v.Arch)
}

func among(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }
