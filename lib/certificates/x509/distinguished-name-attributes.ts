/**
 * The names attribute types go by. RFC 4514 §3 fixes nine; the rest are what OpenSSL, Java, Windows and certificate
 * authorities print for the same OIDs. Names are compared without regard to case.
 */

// the first name of each row is the one names are written with
const names: readonly (readonly [oid: string, ...names: string[]])[] = [
  ['2.5.4.3', 'CN', 'commonName'],
  ['2.5.4.4', 'surname', 'SN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C', 'countryName', 'country'],
  ['2.5.4.7', 'L', 'localityName', 'locality'],
  ['2.5.4.8', 'ST', 'S', 'stateOrProvinceName', 'state'],
  ['2.5.4.9', 'STREET', 'streetAddress'],
  ['2.5.4.10', 'O', 'organizationName', 'organization'],
  ['2.5.4.11', 'OU', 'organizationalUnitName', 'organizationalUnit'],
  ['2.5.4.12', 'title', 'T'],
  ['2.5.4.13', 'description'],
  ['2.5.4.15', 'businessCategory'],
  ['2.5.4.16', 'postalAddress'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.20', 'telephoneNumber'],
  ['2.5.4.41', 'name'],
  ['2.5.4.42', 'givenName', 'GN', 'G'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.44', 'generationQualifier', 'generation'],
  ['2.5.4.45', 'x500UniqueIdentifier'],
  ['2.5.4.46', 'dnQualifier', 'DNQ'],
  ['2.5.4.51', 'houseIdentifier'],
  ['2.5.4.65', 'pseudonym'],
  ['2.5.4.72', 'role'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['0.9.2342.19200300.100.1.1', 'UID', 'userId'],
  ['0.9.2342.19200300.100.1.25', 'DC', 'domainComponent'],
  ['1.2.840.113549.1.9.1', 'emailAddress', 'E', 'email'],
  ['1.2.840.113549.1.9.2', 'unstructuredName'],
  ['1.2.840.113549.1.9.8', 'unstructuredAddress'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL', 'jurisdictionLocalityName'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST', 'jurisdictionStateOrProvinceName'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC', 'jurisdictionCountryName']
]

const oidOfName = new Map(names.flatMap(([oid, ...aliases]) => aliases.map(alias => [alias.toLowerCase(), oid] as const)))
const nameOfOid = new Map(names.map(([oid, name]) => [oid, name ?? oid] as const))

/** The OID of an attribute type's name, in any case; undefined where the name is not known. */
export function attributeOid(name: string): string | undefined {
  return oidOfName.get(name.toLowerCase())
}

/** The short name of an attribute type, or its OID where it has none. */
export function attributeName(oid: string): string {
  return nameOfOid.get(oid) ?? oid
}
