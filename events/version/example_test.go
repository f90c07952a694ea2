package version_test

import (
	"fmt"

	"github.com/jujube-project/jujube/events/version"
)

// By default an environment moves one minor version at a time. The answer says of each
// candidate why it was chosen or not.
func ExampleChoose() {
	trusty := []string{"trusty-amd64"}
	answer := version.Choose(version.Question{
		Current:   version.Number{Major: 1, Minor: 24},
		Client:    version.Number{Major: 1, Minor: 26},
		Platforms: map[string][]string{"trusty-amd64": {"machine-0"}},
		Candidates: []version.Candidate{
			{Number: version.Number{Major: 1, Minor: 24, Patch: 1}, Platforms: trusty},
			{Number: version.Number{Major: 1, Minor: 25, Patch: 2}, Platforms: trusty},
			{Number: version.Number{Major: 1, Minor: 25, Patch: 3}, Platforms: []string{"xenial-arm64"}},
			{Number: version.Number{Major: 1, Minor: 26}, Platforms: trusty},
		},
	})
	fmt.Println(answer.Outcome, answer.Chosen)
	for _, v := range answer.Verdicts {
		fmt.Println(v.Version, v.Reason)
	}
	// Output:
	// upgrade 1.25.2
	// 1.26.0 beyond-next
	// 1.25.3 no-tools
	// 1.25.2 next-minor
	// 1.24.1 superseded
}
