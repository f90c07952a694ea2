package version_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events/version"
)

// A stamp is found wherever it lies, however the program is cut into pieces; what only begins like one
// is none.
func TestStampsAreFound(t *testing.T) {
	filler := strings.Repeat("jujube-version", 9) + strings.Repeat("x", 500)
	for program, want := range map[string][]string{
		"":     nil,
		filler: nil,
		filler + version.Stamp("1.25.1") + filler:                                   {"1.25.1"},
		version.Stamp("1.26-beta1") + version.Stamp("1.26-beta1"):                   {"1.26-beta1"},
		version.Stamp("1.25.1") + filler + version.Stamp("1.25.2.7"):                {"1.25.1", "1.25.2.7"},
		version.Stamp("banana") + "jujube-version/jujube-version/1.24.0/" + filler:  {"1.24.0"},
		"jujube-version/" + strings.Repeat("1", 70) + "/" + version.Stamp("1.24.0"): {"1.24.0"},
		"jujube-version/1.25." + filler:                                             nil,
	} {
		for _, piece := range []int{1, 7, 64, len(program) + 1} {
			var s version.Stamps
			for part := range slices.Chunk([]byte(program), piece) {
				if n, err := s.Write(part); n != len(part) || err != nil {
					t.Fatalf("wrote %d of %d: %v", n, len(part), err)
				}
			}
			var found []string
			for _, n := range s.Found {
				found = append(found, n.String())
			}
			if !slices.Equal(found, want) {
				t.Errorf("in pieces of %d, %.60q has %v, want %v", piece, program, found, want)
			}
		}
	}
}
