package server

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Authority is a certificate authority of one environment. Everybody who connects pins its
// certificate and believes no other authority. Its key signs the certificates of the
// environment's servers.
type Authority struct {
	Certificate string `json:"certificate"` // PEM
	Key         string `json:"key"`         // PKCS #8 in PEM; a secret
}

// How long certificates hold. A server's is renewed after a third of its life, and holds from
// a day before it is made. A machine still connects whose clock is up to two months fast or a
// day slow.
const (
	authorityLife   = 10 * 365 * 24 * time.Hour
	certificateLife = 90 * 24 * time.Hour
	renewAfter      = certificateLife / 3
	slowClocks      = 24 * time.Hour
)

// NewAuthority makes an authority that holds for ten years from now. It can sign certificates
// of servers only: not of clients, and of no other authority. It is not restricted to names,
// because nobody outside of the environment believes it, and the environment's servers may
// get other names.
func NewAuthority(environmentUUID string, now time.Time) (Authority, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Authority{}, fmt.Errorf("make a certificate authority: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "jujube environment " + environmentUUID},
		NotBefore: now.Add(-slowClocks), NotAfter: now.Add(authorityLife),
		KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		return Authority{}, fmt.Errorf("make a certificate authority: %w", err)
	}
	text, err := keyPEM(key)
	return Authority{Certificate: certificatePEM(cert), Key: text}, err
}

// Ends is when the authority's own certificate ends.
func (a Authority) Ends() (time.Time, error) {
	cert, _, err := a.parse()
	if err != nil {
		return time.Time{}, err
	}
	return cert.NotAfter, nil
}

// Sign makes a key, and a certificate for it that holds for 90 days, both in PEM. hosts are the
// names and addresses under which clients reach the server.
func (a Authority) Sign(hosts []string, now time.Time) (certificate, key string, err error) {
	cert, private, err := a.sign(hosts, now)
	if err != nil {
		return "", "", err
	}
	key, err = keyPEM(private)
	return certificatePEM(cert), key, err
}

// sign is Sign in the form that crypto/tls wants. The certificate does not outlive the authority.
func (a Authority) sign(hosts []string, now time.Time) (der []byte, key ed25519.PrivateKey, err error) {
	authority, signer, err := a.parse()
	if err != nil {
		return nil, nil, err
	}
	if len(hosts) == 0 {
		return nil, nil, errors.New("sign a server's certificate: no name to sign it for")
	}
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("sign a server's certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "jujube NATS"},
		NotBefore: now.Add(-slowClocks), NotAfter: earlier(now.Add(certificateLife), authority.NotAfter),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if der, err = x509.CreateCertificate(rand.Reader, template, authority, public, signer); err != nil {
		return nil, nil, fmt.Errorf("sign a server's certificate for %v: %w", hosts, err)
	}
	return der, key, nil
}

func (a Authority) parse() (*x509.Certificate, crypto.Signer, error) {
	block, _ := pem.Decode([]byte(a.Certificate))
	if block == nil {
		return nil, nil, errors.New("read the certificate authority: its certificate is not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	block, _ = pem.Decode([]byte(a.Key))
	if block == nil {
		return nil, nil, errors.New("read the certificate authority: its key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate authority: its key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("read the certificate authority: a %T cannot sign", key)
	}
	return cert, signer, nil
}

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func keyPEM(key ed25519.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("write a key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// serial is a random serial number of 127 bits: positive, and in 20 bytes, as RFC 5280 wants.
func serial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never returns an error (crypto/rand)
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
