-- To whom a sign-in link was given for somebody else: it is good only while they may do all that its user may. NULL where nobody but the
-- user got it.
ALTER TABLE signin_links ADD COLUMN made_in UUID;
ALTER TABLE signin_links ADD COLUMN made_by UUID;
-- What the credential that they acted with was limited to.
ALTER TABLE signin_links ADD COLUMN scopes JSONB;
