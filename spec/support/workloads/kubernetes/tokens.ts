/**
 * Tokens that the code of Kubernetes 1.37.2 itself made and signed (k8s.io/kubernetes/pkg/serviceaccount, which kube-apiserver answers a TokenRequest with), by
 * main.go beside this file: recorded once, because compiling it takes minutes. Their `jti`, times and signatures are as they came.
 */
import type { JWK } from 'jose'

/** The cluster's signing key, as /openid/v1/jwks would have it. */
export const clusterKey: JWK = {
  kty: 'EC',
  crv: 'P-256',
  alg: 'ES256',
  use: 'sig',
  kid: 'EI1-rA5PMAdclDwO_dPxYYDZ8J3JUnNAZaqvyb67L2M',
  x: 'IzyP7mIN3FW_Df1oL0m-6YT9E1GXZaZb3mKmV4QicEM',
  y: 'dHEujVJmF82-J-tjDA3Ww-CXV5lSIGE6tElhGM5r8tA'
}

/** When they were made, seconds since the epoch. */
export const recordedAt = 1795967133

export const recorded = {
  /** Projected, with the audience https://as.example and expirationSeconds 3600. */
  projected:
    'eyJhbGciOiJFUzI1NiIsImtpZCI6IkVJMS1yQTVQTUFkY2xEd09fZFB4WVlEWjhKM0pVbk5BWmFxdnliNjdMMk0ifQ.eyJhdWQiOlsiaHR0cHM' +
    '6Ly9hcy5leGFtcGxlIl0sImV4cCI6MTc5NTk3MDczMywiaWF0IjoxNzk1OTY3MTMzLCJpc3MiOiJodHRwczovL29pZGMuY2x1c3Rlci5leGFtc' +
    'GxlIiwianRpIjoiYzkyNWM1Y2ItMzljYi00OGM4LWE4OTgtZDNlNWY5YjVlNWQ2Iiwia3ViZXJuZXRlcy5pbyI6eyJuYW1lc3BhY2UiOiJjaSI' +
    'sIm5vZGUiOnsibmFtZSI6Im5vZGUtMSIsInVpZCI6IjNmMGE1MmE4LTFhMWMtNGQ3Yi04ZjZlLTBmMmE0YzlkOGU3MSJ9LCJwb2QiOnsibmFtZ' +
    'SI6ImRlcGxveWVyLTdkOWMiLCJ1aWQiOiI1ZmQ5NWJkMC0xYTI1LTRkZDktYTFhYy01YjdjMmU0YjZhNDAifSwic2VydmljZWFjY291bnQiOns' +
    'ibmFtZSI6ImRlcGxveWVyIiwidWlkIjoiMTRlZTNmYTQtYTdlMi00MjBmLTlmOWEtZGJjNDUwN2MzNzk4In19LCJuYmYiOjE3OTU5NjcxMzMsI' +
    'nN1YiI6InN5c3RlbTpzZXJ2aWNlYWNjb3VudDpjaTpkZXBsb3llciJ9.6-yXxoZi2lECwkONpLoSLRE0hphMXY1b48sIRSkfbCkMW8dKEbiGyY' +
    'VoqSKeEvkSHu-UZP_1TiPdr02g5gWBjw',
  /** What a pod has without asking: for the API server, and for a year (`warnafter`). */
  automatic:
    'eyJhbGciOiJFUzI1NiIsImtpZCI6IkVJMS1yQTVQTUFkY2xEd09fZFB4WVlEWjhKM0pVbk5BWmFxdnliNjdMMk0ifQ.eyJhdWQiOlsiaHR0cHM' +
    '6Ly9rdWJlcm5ldGVzLmRlZmF1bHQuc3ZjLmNsdXN0ZXIubG9jYWwiXSwiZXhwIjoxODI3NTAzMTMzLCJpYXQiOjE3OTU5NjcxMzMsImlzcyI6I' +
    'mh0dHBzOi8vb2lkYy5jbHVzdGVyLmV4YW1wbGUiLCJqdGkiOiI0OTlmYmVhYy00NWFhLTRmOWUtYjc4NC0xNmRhN2VmOWJmNjMiLCJrdWJlcm5' +
    'ldGVzLmlvIjp7Im5hbWVzcGFjZSI6ImNpIiwibm9kZSI6eyJuYW1lIjoibm9kZS0xIiwidWlkIjoiM2YwYTUyYTgtMWExYy00ZDdiLThmNmUtM' +
    'GYyYTRjOWQ4ZTcxIn0sInBvZCI6eyJuYW1lIjoiZGVwbG95ZXItN2Q5YyIsInVpZCI6IjVmZDk1YmQwLTFhMjUtNGRkOS1hMWFjLTViN2MyZTR' +
    'iNmE0MCJ9LCJzZXJ2aWNlYWNjb3VudCI6eyJuYW1lIjoiZGVwbG95ZXIiLCJ1aWQiOiIxNGVlM2ZhNC1hN2UyLTQyMGYtOWY5YS1kYmM0NTA3Y' +
    'zM3OTgifSwid2FybmFmdGVyIjoxNzk1OTcwNzQwfSwibmJmIjoxNzk1OTY3MTMzLCJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6Y2k6ZGV' +
    'wbG95ZXIifQ.DDNyjipJtuwCPy5NQUNTtzE47J-pVE5wXcDxlxW0Y2E25BvaR4oe8ADbdShhaOcjC7UlHWkrWCVMNn_EJwP2Hw',
  /** From a Secret of type kubernetes.io/service-account-token. */
  legacy:
    'eyJhbGciOiJFUzI1NiIsImtpZCI6IkVJMS1yQTVQTUFkY2xEd09fZFB4WVlEWjhKM0pVbk5BWmFxdnliNjdMMk0ifQ.eyJpc3MiOiJrdWJlcm5' +
    'ldGVzL3NlcnZpY2VhY2NvdW50Iiwia3ViZXJuZXRlcy5pby9zZXJ2aWNlYWNjb3VudC9uYW1lc3BhY2UiOiJjaSIsImt1YmVybmV0ZXMuaW8vc' +
    '2VydmljZWFjY291bnQvc2VjcmV0Lm5hbWUiOiJkZXBsb3llci10b2tlbi14N2sycCIsImt1YmVybmV0ZXMuaW8vc2VydmljZWFjY291bnQvc2V' +
    'ydmljZS1hY2NvdW50Lm5hbWUiOiJkZXBsb3llciIsImt1YmVybmV0ZXMuaW8vc2VydmljZWFjY291bnQvc2VydmljZS1hY2NvdW50LnVpZCI6I' +
    'jE0ZWUzZmE0LWE3ZTItNDIwZi05ZjlhLWRiYzQ1MDdjMzc5OCIsInN1YiI6InN5c3RlbTpzZXJ2aWNlYWNjb3VudDpjaTpkZXBsb3llciJ9.Cg' +
    '-NnS02l_Mx6j0cIzm2ykLuOcy_B3ttA05JHY1h27wZL9_Wb59MuSNyc1LQTiGl6NGGZuhkQroUvvkFDbfhDg'
}
