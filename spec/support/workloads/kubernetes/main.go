// Makes the tokens of tokens.ts: with the code of Kubernetes that kube-apiserver makes them with.
//
//	go mod init example.com/record
//	go mod edit -require k8s.io/kubernetes@v1.37.2
//	# its staging modules have versions of their own: for each "k8s.io/NAME v0.0.0" of its go.mod
//	go mod edit -replace k8s.io/NAME=k8s.io/NAME@v0.37.2
//	go mod tidy && go run .
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/serviceaccount"
)

func main() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	gen, err := serviceaccount.JWTTokenGenerator("https://oidc.cluster.example", key)
	if err != nil {
		panic(err)
	}
	meta := func(name, uid string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: "ci", UID: types.UID(uid)}
	}
	sa := core.ServiceAccount{ObjectMeta: meta("deployer", "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798")}
	pod := &core.Pod{ObjectMeta: meta("deployer-7d9c", "5fd95bd0-1a25-4dd9-a1ac-5b7c2e4b6a40")}
	node := &core.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1", UID: "3f0a52a8-1a1c-4d7b-8f6e-0f2a4c9d8e71"}}
	for _, life := range []int64{3600, 31536000} {
		warn := int64(0)
		aud := []string{"https://as.example"}
		if life > 3600 {
			warn = 3607
			aud = []string{"https://kubernetes.default.svc.cluster.local"}
		}
		c, private, err := serviceaccount.Claims(sa, pod, nil, node, nil, nil, life, warn, aud, nil)
		if err != nil {
			panic(err)
		}
		token, err := gen.GenerateToken(context.Background(), c, private)
		if err != nil {
			panic(err)
		}
		fmt.Println(token)
	}
	legacy, err := serviceaccount.JWTTokenGenerator(serviceaccount.LegacyIssuer, key)
	if err != nil {
		panic(err)
	}
	lc, lp := serviceaccount.LegacyClaims(corev1.ServiceAccount{ObjectMeta: meta("deployer", "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798")}, corev1.Secret{ObjectMeta: meta("deployer-token-x7k2p", "")})
	token, err := legacy.GenerateToken(context.Background(), lc, lp)
	if err != nil {
		panic(err)
	}
	fmt.Println(token)
	j, _ := json.Marshal(map[string]any{"x": key.X.Bytes(), "y": key.Y.Bytes()})
	fmt.Println(string(j))
}
