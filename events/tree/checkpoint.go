package tree

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Head says how long a log is, and names its content: Root is the root over its first Size records. The
// zero Head is that of the empty log.
type Head struct {
	Size uint64 `json:"size"`
	Root Hash   `json:"root"`
}

// String shows a head to a person.
func (h Head) String() string { return fmt.Sprintf("%d records, root %s", h.Size, h.Root) }

// Checkpoint is a head that was signed.
type Checkpoint struct {
	Head
	Note []byte // the signed note, byte for byte
}

// MaxNoteBytes limits a checkpoint that is read. It is three lines and a few signatures.
const MaxNoteBytes = 4 << 10

// maxSize keeps sizes within what package tlog can count: its indexes of hashes are int64.
const maxSize = 1 << 56

// origin is the first line of a checkpoint, which names the log. It is also the name of the keys that
// sign it.
func origin(environment string) string { return "jujube.log/" + environment }

// Signer signs the checkpoints of one log.
type Signer struct {
	environment string
	signer      note.Signer
	public      string
}

// NewKey makes a log key of an environment. The private half is for NewSigner, the public one for the
// roster.
func NewKey(rand io.Reader, environment string) (private, public string, err error) {
	private, public, err = note.GenerateKey(rand, origin(environment))
	if err != nil {
		return "", "", fmt.Errorf("make a log key: %w", err)
	}
	return private, public, nil
}

// NewSigner reads the private half of a log key.
func NewSigner(environment, private string) (*Signer, error) {
	s, err := note.NewSigner(strings.TrimSpace(private))
	if err == nil && s.Name() != origin(environment) {
		err = errors.New("it is the key of another log")
	}
	if err != nil {
		return nil, fmt.Errorf("read the log key: %w", err)
	}
	public, err := publicOf(private)
	return &Signer{environment, s, public}, err
}

// publicOf gives the public half of a log key: the private one ends in an algorithm byte
// and an ed25519 seed. Source: the format of x/mod/sumdb/note.
func publicOf(private string) (string, error) {
	fields := strings.SplitN(strings.TrimSpace(private), "+", 5) // PRIVATE+KEY+name+hash+base64
	if len(fields) != 5 {
		return "", errors.New("read the log key: it has not five fields")
	}
	seed, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return "", errors.New("read the log key: it is no ed25519 key")
	}
	public, _ := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(fields[2], public)
}

// Public is the key's public half, as the roster lists it.
func (s *Signer) Public() string { return s.public }

// Sign makes a checkpoint of a head.
func (s *Signer) Sign(h Head) (Checkpoint, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", origin(s.environment), h.Size, h.Root)
	signed, err := note.Sign(&note.Note{Text: text}, s.signer)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("sign a checkpoint: %w", err)
	}
	return Checkpoint{Head: h, Note: signed}, nil
}

// Verifiers are the log keys of one environment that are believed.
type Verifiers struct {
	environment string
	known       note.Verifiers
}

// NewVerifiers reads public log keys. It returns an error for a text that is no key, and for a key of
// another log. Without any key no checkpoint is believed.
func NewVerifiers(environment string, public []string) (Verifiers, error) {
	var list []note.Verifier
	for _, key := range public {
		v, err := note.NewVerifier(strings.TrimSpace(key))
		if err == nil && v.Name() != origin(environment) {
			err = errors.New("it is the key of another log")
		}
		if err != nil {
			return Verifiers{}, fmt.Errorf("read the log key %q: %w", key, err)
		}
		list = append(list, v)
	}
	return Verifiers{environment, note.VerifierList(list...)}, nil
}

// ErrKey says that a checkpoint is signed, and by no key that is believed.
var ErrKey = errors.New("no key of the log that is believed has signed it")

// Open reads a checkpoint. It returns an error unless the checkpoint is of this environment's log and is
// signed with a key that is believed.
func (v Verifiers) Open(signed []byte) (Checkpoint, error) {
	if len(signed) > MaxNoteBytes {
		return Checkpoint{}, fmt.Errorf("read a checkpoint: %d bytes, limit %d", len(signed), MaxNoteBytes)
	}
	if v.known == nil {
		return Checkpoint{}, errors.New("read a checkpoint: no log key is known")
	}
	n, err := note.Open(signed, v.known)
	if _, unverified := errors.AsType[*note.UnverifiedNoteError](err); unverified {
		return Checkpoint{}, fmt.Errorf("read a checkpoint: %w", ErrKey)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read a checkpoint: %w", err)
	}
	head, err := parse(n.Text, v.environment)
	return Checkpoint{Head: head, Note: signed}, err
}

// Parse reads a checkpoint without checking its signature. It is for one that Open accepted before and
// that was kept where nobody else writes: the key that signed it may have been replaced since.
func Parse(signed []byte, environment string) (Checkpoint, error) {
	if len(signed) > MaxNoteBytes {
		return Checkpoint{}, fmt.Errorf("read a checkpoint: %d bytes, limit %d", len(signed), MaxNoteBytes)
	}
	text, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		return Checkpoint{}, errors.New("read a checkpoint: it has no signature")
	}
	head, err := parse(text+"\n", environment)
	return Checkpoint{Head: head, Note: signed}, err
}

// parse reads the text of a checkpoint. It ignores lines behind the root, which a later release may add.
func parse(text, environment string) (Head, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != origin(environment) {
		return Head{}, fmt.Errorf("read a checkpoint: it is not of the log of environment %s", environment)
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil || size > maxSize || strconv.FormatUint(size, 10) != lines[1] {
		return Head{}, fmt.Errorf("read a checkpoint: %q is no size", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(Hash{}) {
		return Head{}, fmt.Errorf("read a checkpoint: %q is no root", lines[2])
	}
	return Head{Size: size, Root: Hash(root)}, nil
}
