package cli

import (
	"github.com/jujube-project/jujube/agent/launcher"
	"github.com/jujube-project/jujube/events/version"
)

// Hello is what a script damages.
const Hello = launcher.Hello

// PackTools lets scripts make archives the way --upload-tools does.
func PackTools(path, jujud string, v version.Binary) error {
	_, err := packTools(path, jujud, v)
	return err
}
