// SPIFFE's own library in Go, beside ours: makes a trust domain, its bundle and SVIDs, which it takes itself before it hands them out, and
// judges what others made. A question on standard input, the answer on standard output, both JSON.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// Question is what is asked at once.
type Question struct {
	// SPIFFE IDs to be read.
	IDs []string `json:"ids"`
	// The trust domain of the bundles and SVIDs to be judged.
	TrustDomain string `json:"trust_domain"`
	// Bundle documents to be read; SVIDs are held against the first.
	Bundles []json.RawMessage `json:"bundles"`
	// Chains of certificates, DER, the leaf first.
	X509 [][][]byte `json:"x509"`
	JWT  []string   `json:"jwt"`
	// What a JWT-SVID must be for, and a made one is.
	Audience string `json:"audience"`
	// Name of the trust domain to make.
	Make string `json:"make"`
}

// Answer has an entry for each thing asked: what was read of it, or the word "refused" and why.
type Answer struct {
	IDs     []string      `json:"ids"`
	Bundles []BundleFacts `json:"bundles"`
	X509    []string      `json:"x509"`
	JWT     []string      `json:"jwt"`
	Made    *Made         `json:"made,omitempty"`
}

// BundleFacts is what the library has read of a bundle.
type BundleFacts struct {
	Refused string `json:"refused,omitempty"`
	JWT     int    `json:"jwt"`
	X509    int    `json:"x509"`
	// Nothing where the document does not say.
	Sequence *uint64 `json:"sequence,omitempty"`
	Hint     int     `json:"hint"`
}

// Made is a trust domain.
type Made struct {
	Bundle json.RawMessage `json:"bundle"`
	// SVIDs of spiffe://NAME/x509/NAME, with their chains and keys, as PEM.
	X509 map[string]Certificate `json:"x509"`
	// SVIDs of spiffe://NAME/jwt, by algorithm.
	JWT map[string]string `json:"jwt"`
}

// Certificate is an X.509-SVID with its intermediates.
type Certificate struct {
	PEM    string `json:"pem"`
	KeyPEM string `json:"keyPem"`
}

func main() {
	var question Question
	must(json.NewDecoder(os.Stdin).Decode(&question))
	answer := judge(question)
	if question.Make != "" {
		answer.Made = made(question.Make, question.Audience)
	}
	must(json.NewEncoder(os.Stdout).Encode(answer))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func got[T any](value T, err error) T {
	must(err)
	return value
}

func refused(err error) string { return fmt.Sprintf("refused: %v", err) }

func judge(question Question) (answer Answer) {
	for _, text := range question.IDs {
		id, err := spiffeid.FromString(text)
		if err != nil {
			answer.IDs = append(answer.IDs, refused(err))
			continue
		}
		answer.IDs = append(answer.IDs, id.TrustDomain().Name()+" "+id.Path())
	}
	if question.TrustDomain == "" {
		return
	}
	domain := got(spiffeid.TrustDomainFromString(question.TrustDomain))
	var first *spiffebundle.Bundle
	for _, document := range question.Bundles {
		bundle, err := spiffebundle.Parse(domain, document)
		if err != nil {
			answer.Bundles = append(answer.Bundles, BundleFacts{Refused: err.Error()})
			continue
		}
		if first == nil {
			first = bundle
		}
		facts := BundleFacts{JWT: len(bundle.JWTAuthorities()), X509: len(bundle.X509Authorities())}
		if sequence, ok := bundle.SequenceNumber(); ok {
			facts.Sequence = &sequence
		}
		if hint, ok := bundle.RefreshHint(); ok {
			facts.Hint = int(hint.Seconds())
		}
		answer.Bundles = append(answer.Bundles, facts)
	}
	for _, chain := range question.X509 {
		id, _, err := x509svid.ParseAndVerify(chain, first)
		if err != nil {
			answer.X509 = append(answer.X509, refused(err))
			continue
		}
		answer.X509 = append(answer.X509, id.String())
	}
	for _, token := range question.JWT {
		svid, err := jwtsvid.ParseAndValidate(token, first, []string{question.Audience})
		if err != nil {
			answer.JWT = append(answer.JWT, refused(err))
			continue
		}
		answer.JWT = append(answer.JWT, svid.ID.String())
	}
	return
}

type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

var serial int64

// issue signs a certificate as SPIFFE wants it: by itself where there is no issuer.
func issue(id spiffeid.ID, isAuthority bool, key crypto.Signer, issuer *authority) authority {
	serial++
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{Country: []string{"US"}, Organization: []string{"SPIFFE"}},
		URIs:                  []*url.URL{id.URL()},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(time.Hour),
		BasicConstraintsValid: true,
		IsCA:                  isAuthority,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if isAuthority {
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		template.ExtKeyUsage = nil
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.certificate, issuer.key
	}
	der := got(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer))
	return authority{got(x509.ParseCertificate(der)), key}
}

func curveKey(curve elliptic.Curve) crypto.Signer { return got(ecdsa.GenerateKey(curve, rand.Reader)) }

func made(name, audience string) *Made {
	domain := got(spiffeid.TrustDomainFromString(name))
	bundle := spiffebundle.New(domain)
	bundle.SetSequenceNumber(7)
	bundle.SetRefreshHint(10 * time.Minute)
	old := issue(domain.ID(), true, curveKey(elliptic.P384()), nil)
	root := issue(domain.ID(), true, curveKey(elliptic.P256()), nil)
	below := issue(domain.ID(), true, curveKey(elliptic.P256()), &root)
	bundle.AddX509Authority(old.certificate)
	bundle.AddX509Authority(root.certificate)
	modulus := got(rsa.GenerateKey(rand.Reader, 2048))
	result := &Made{X509: map[string]Certificate{}, JWT: map[string]string{}}

	for path, key := range map[string]crypto.Signer{
		"p256": curveKey(elliptic.P256()), "p384": curveKey(elliptic.P384()), "rsa": modulus,
	} {
		leaf := issue(got(spiffeid.FromSegments(domain, "x509", path)), false, key, &below)
		svid := got(x509svid.ParseRaw(append(append([]byte{}, leaf.certificate.Raw...), below.certificate.Raw...), got(x509.MarshalPKCS8PrivateKey(key))))
		got2(x509svid.Verify(svid.Certificates, bundle))
		certificates, private, err := svid.Marshal()
		must(err)
		result.X509[path] = Certificate{string(certificates), string(private)}
	}

	signers := map[jose.SignatureAlgorithm]crypto.Signer{
		jose.ES256: curveKey(elliptic.P256()), jose.ES384: curveKey(elliptic.P384()), jose.ES512: curveKey(elliptic.P521()),
		jose.RS256: modulus, jose.RS512: modulus, jose.PS256: modulus, jose.PS384: modulus,
	}
	for algorithm, key := range signers {
		must(bundle.AddJWTAuthority("key-of-"+string(algorithm), key.Public()))
	}
	for algorithm, key := range signers {
		options := (&jose.SignerOptions{}).WithType("JWT")
		signer := got(jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: "key-of-" + string(algorithm)}}, options))
		token := got(jwt.Signed(signer).Claims(jwt.Claims{
			Subject:  got(spiffeid.FromSegments(domain, "jwt")).String(),
			Audience: jwt.Audience{audience},
			Expiry:   jwt.NewNumericDate(time.Now().Add(5 * time.Minute)),
			IssuedAt: jwt.NewNumericDate(time.Now()),
		}).Serialize())
		result.JWT[string(algorithm)] = got(jwtsvid.ParseAndValidate(token, bundle, []string{audience})).Marshal()
	}
	result.Bundle = got(bundle.Marshal())
	return result
}

func got2(_ spiffeid.ID, _ [][]*x509.Certificate, err error) { must(err) }
