import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

class Printing:
    refused = 0
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('refused'):
            return '550 no such mailbox'
        envelope.rcpt_tos.append(address)
        return '250 OK'
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if 'Bust' in str(mail['Subject']) and Printing.refused == 0:
            Printing.refused = 1
            return '451 come back later'
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        print(json.dumps({'to': envelope.rcpt_tos, 'from': envelope.mail_from, 'parts': parts, 'tls': session.ssl is not None,
            'headers': {name.lower(): str(value) for name, value in mail.items()}, 'names': [name.lower() for name in mail.keys()]}), flush=True)
        return '250 OK'

def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b'user' and data.password == b'planted-mail-password'
    return AuthResult(success=good)

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1], sys.argv[2])

async def main():
    loop = asyncio.get_running_loop()
    make = lambda: SMTP(Printing(), tls_context=context, require_starttls=True, authenticator=authenticate, auth_required=True, loop=loop)
    server = await loop.create_server(make, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
