#!/usr/bin/env bash
# Makes recorded.json, with a SPIRE server and agent of release 1.13.3 on loopback. Building them takes some nine minutes of one core:
#
#   go mod init example.com/record
#   go get -tool github.com/spiffe/spire/cmd/spire-server@v1.13.3 github.com/spiffe/spire/cmd/spire-agent@v1.13.3
#   go build -o bin/ github.com/spiffe/spire/cmd/spire-server github.com/spiffe/spire/cmd/spire-agent
#   PATH=$PWD/bin:$PATH bash record.sh >recorded.json
set -euo pipefail
dir=$(mktemp -d)
cd "$dir"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.crt -days 30 -subj /O=SPIFFE/CN=root \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -addext subjectAltName=URI:spiffe://prod.example 2>/dev/null
cat >server.conf <<END
server {
  bind_address = "127.0.0.1"
  bind_port = "8081"
  socket_path = "$dir/server.sock"
  trust_domain = "prod.example"
  data_dir = "$dir/server"
  log_level = "WARN"
  jwt_issuer = "https://spire.prod.example"
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "$dir/server.sqlite3" } }
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  UpstreamAuthority "disk" { plugin_data { cert_file_path = "$dir/root.crt" key_file_path = "$dir/root.key" } }
}
END
cat >agent.conf <<END
agent {
  data_dir = "$dir/agent"
  log_level = "WARN"
  server_address = "127.0.0.1"
  server_port = "8081"
  socket_path = "$dir/agent.sock"
  trust_domain = "prod.example"
  insecure_bootstrap = true
}
plugins {
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}
END
spire-server run -config server.conf >server.log 2>&1 & server=$!
agent=
trap 'kill $server $agent' EXIT
on_server() { spire-server "$@" -socketPath "$dir/server.sock"; }
until on_server healthcheck >/dev/null 2>&1; do sleep 1; done
token=$(on_server token generate -spiffeID spiffe://prod.example/node | sed -n 's/^Token: //p')
on_server entry create -parentID spiffe://prod.example/node -spiffeID spiffe://prod.example/billing/worker -selector "unix:uid:$(id -u)" >/dev/null
spire-agent run -config agent.conf -joinToken "$token" >agent.log 2>&1 & agent=$!
until spire-agent api fetch x509 -socketPath "$dir/agent.sock" -write "$dir" >/dev/null 2>&1; do sleep 1; done
spire-agent api fetch jwt -audience https://as.example.com -socketPath "$dir/agent.sock" -output json >jwt.json
spire-agent api fetch jwt -audience https://as.example.com -audience https://other.example -socketPath "$dir/agent.sock" -output json >jwt2.json
on_server jwt mint -spiffeID spiffe://prod.example/billing -audience https://as.example.com >minted.jwt
on_server bundle show -format spiffe >bundle.json
node --input-type=module --eval '
import { readFileSync } from "node:fs"
const read = name => readFileSync(name, "utf8")
const jwt = name => JSON.parse(read(name))[0].svids[0].svid
const recorded = {
  recordedAt: Math.floor(Date.now() / 1000),
  bundle: JSON.parse(read("bundle.json")),
  x509: read("svid.0.pem"),
  jwt: jwt("jwt.json"),
  jwtOfTwo: jwt("jwt2.json"),
  minted: read("minted.jwt").trim()
}
console.log(JSON.stringify(recorded, undefined, 2))'
