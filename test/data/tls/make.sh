#!/bin/sh
# Makes the certificates of the tests in the folder it is given; see README.md.
set -eu
cd "$1"

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key.pem"; }

# sign NAME ISSUER COMMON_NAME EXTENSIONS [NOT_BEFORE NOT_AFTER]; who issues its own certificate is a root
sign() {
  [ -f "$1.key.pem" ] || new_key "$1"
  openssl req -new -key "$1.key.pem" -subj "/O=hawser tests/CN=$3" -out request
  printf '%s\n' "$4" > extensions
  printf '%s\n' '[ca]' 'default_ca=here' '[here]' 'new_certs_dir=.' 'database=index' 'serial=serial' \
    'default_md=sha256' 'policy=names' '[names]' 'organizationName=supplied' 'commonName=supplied' > ca.cnf
  : > index
  openssl rand -hex 8 > serial
  [ "$1" = "$2" ] && how=-selfsign || how="-cert $2.pem"
  openssl ca -batch -notext -config ca.cnf $how -keyfile "$2.key.pem" -in request -extfile extensions \
    -startdate "${5:-20200101000000Z}" -enddate "${6:-20700101000000Z}" -out "$1.pem"
  rm -f request extensions ca.cnf index* serial* [0-9A-F]*[0-9A-F].pem
}

root='basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign'
leaf='basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature'

sign ca ca 'Test CA' "$root"
sign otherCa otherCa 'Other CA' "$root"
sign server ca localhost "$leaf
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1,DNS:*.example.test"
sign second ca second.example.test "$leaf
extendedKeyUsage=serverAuth
subjectAltName=DNS:second.example.test,DNS:*.second.test"
sign client ca 'Test client' "$leaf
extendedKeyUsage=clientAuth"
sign stranger otherCa Stranger "$leaf
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:localhost"
sign expired ca localhost "$leaf
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost" 20100101000000Z 20110101000000Z
openssl pkey -in server.key.pem -aes-256-cbc -passout pass:quay -out server.locked.key.pem
rm ca.key.pem otherCa.key.pem
