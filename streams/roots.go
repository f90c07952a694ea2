package streams

import (
	"crypto/x509"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// fallbackRoots gives the process certificate authorities where the host has none, such
// as in a container made from nothing. It is done when the first source behind a URL is
// opened, not at the start: an agent never needs them, and they take memory.
var fallbackRoots = sync.OnceFunc(func() {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue // one that this Go cannot read is one that it cannot trust
		}
		if root.Constraint == nil {
			pool.AddCert(cert)
			continue
		}
		pool.AddCertWithConstraint(cert, root.Constraint)
	}
	x509.SetFallbackRoots(pool)
})
