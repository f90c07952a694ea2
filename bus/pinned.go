package bus

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jujube-project/jujube/host"
)

// parseCertificates reads one or more certificates in PEM. Any other kind of block among
// them is an error.
func parseCertificates(text []byte) (certs []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("read certificates: there is a %q among them", block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read certificates: %w", err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("read certificates: there is none, in PEM")
	}
	return certs, nil
}

// CheckAuthorities returns an error if text is anything but certificates of authorities, in
// PEM, at least one.
func CheckAuthorities(text string) error {
	certs, err := parseCertificates([]byte(text))
	if err != nil {
		return err
	}
	for _, cert := range certs {
		if !cert.IsCA {
			return fmt.Errorf("read certificates: %s is the certificate of a server, not of an authority", cert.Subject)
		}
	}
	return nil
}

// PinAuthorities writes the file of the authorities that a client believes, durably. There
// are two of them while one authority takes over from another one.
func PinAuthorities(path, certificates string) error {
	if err := CheckAuthorities(certificates); err != nil {
		return err
	}
	return host.WriteFile(path, []byte(certificates))
}

// PinnedAuthorities reads what PinAuthorities wrote. A file that others can write, own or
// exchange is refused (host.ReadPinned): who does decides which servers this client believes.
func PinnedAuthorities(path string) (string, error) {
	b, err := host.ReadPinned(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the authorities that are pinned: %w (juju bootstrap and enrolment write that file)", err)
	}
	if err != nil {
		return "", fmt.Errorf("read the authorities that are pinned: %w", err)
	}
	if err := CheckAuthorities(string(b)); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return string(b), nil
}
