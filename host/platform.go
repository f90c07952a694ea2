package host

import (
	"os"
	"regexp"
	"runtime"
	"strings"
)

// genericSeries is the series of a Linux without a code name. Source: Juju 1.25.
const genericSeries = "genericlinux"

// Platform is the series and the architecture that tools for this host must have: the code
// name of the distribution ("trusty"; "genericlinux" where there is none) and Go's name of
// the processor ("amd64").
func Platform() (series, arch string) { return seriesOf("/etc/os-release"), runtime.GOARCH }

// codename is what may be a series: a word of a binary version, NUMBER-SERIES-ARCH.
var codename = regexp.MustCompile(`^[a-z0-9]+$`)

// seriesOf reads the code name. Source: os-release(5).
func seriesOf(osRelease string) string {
	b, err := os.ReadFile(osRelease)
	if err != nil {
		return genericSeries
	}
	for line := range strings.Lines(string(b)) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME=")
		if name = strings.Trim(name, `"'`); ok && codename.MatchString(name) {
			return name
		}
	}
	return genericSeries
}
