package machines

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// unitEnv is the environment of a unit as it is typed.
type unitEnv struct {
	app  *app.App
	set  []string // KEY=VALUE
	file string   // of such lines; "-": the standard input
	key  string   // of the machine, typed
}

func (e *unitEnv) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&e.set, "env", nil, "KEY=VALUE for the command's environment; may be repeated; other users of this host can see it")
	f.StringVar(&e.file, "env-file", "", "file of such lines, which others must not be able to read; - is the standard input")
	f.StringVar(&e.key, "machine-key", "", "key of the machine, as jujud machine-key prints it there, where it cannot be proved")
}

// maxEnvBytes limits the standard input.
const maxEnvBytes = 64 << 10

// values reads what was typed.
func (e *unitEnv) values() (map[string]string, error) {
	if e.key != "" && !bus.IsPublicKey(e.key) {
		return nil, app.Usage("--machine-key %q is no key; jujud machine-key prints it on the machine", e.key)
	}
	lines := slices.Clone(e.set)
	if e.file != "" {
		b, err := e.read()
		if err != nil {
			return nil, app.Fail(fmt.Errorf("read --env-file: %w", err), "Nothing was asked.", "")
		}
		for line := range bytes.Lines(b) {
			if text := strings.TrimRight(string(line), "\r\n"); text != "" && text[0] != '#' {
				lines = append(lines, text)
			}
		}
	}
	values := map[string]string{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, "=")
		if !ok || !events.IsEnvName(name) || strings.ContainsRune(value, 0) {
			return nil, app.Usage("--env %q is not KEY=VALUE", name) // not the line: it may be all secret
		}
		values[name] = value
	}
	return values, nil
}

func (e *unitEnv) read() ([]byte, error) {
	if e.file != "-" {
		return host.ReadSecret(e.file)
	}
	b, err := io.ReadAll(io.LimitReader(e.app.Stdin, maxEnvBytes+1))
	if err == nil && len(b) > maxEnvBytes {
		err = fmt.Errorf("there are more than %d bytes on the standard input", maxEnvBytes)
	}
	return b, err
}

// sealedFor says for which key of a machine the values are sealed: the one that was typed, or else
// the one that the log proves.
func (e *unitEnv) sealedFor(
	ctx context.Context, s *session.Session, v func() (*verifier, error), machine string, values map[string]string,
) (session.Environment, error) {
	env := session.Environment{Values: values, Key: e.key}
	if len(values) == 0 || e.key != "" {
		return env, nil
	}
	proof, err := v()
	if err == nil {
		env.Key, err = proof.provedKey(ctx, s.Log(), machine)
	}
	return env, err
}

// again are the values for one more unit of a service: those that were typed, and of a deployment of
// before, whose values lie in the log in clear, those. All names of the service must have one.
func again(d *deployment, typed map[string]string) (map[string]string, error) {
	values := maps.Clone(d.Env)
	if values == nil {
		values = map[string]string{}
	}
	maps.Copy(values, typed)
	spec := d.Spec()
	if names := slices.Sorted(maps.Keys(values)); !slices.Equal(names, spec.EnvNames()) {
		has, typed := strings.Join(spec.EnvNames(), " "), strings.Join(names, " ")
		return nil, app.Fail(fmt.Errorf("the environment of %s has the names [%s], not [%s]", d.Service, has, typed), "Nothing was asked.",
			"type the values of all of these again: --env KEY=VALUE or --env-file FILE; only the machine of the first unit can read them")
	}
	return values, nil
}
