import { choose, compilePattern, formatReference, listImages, parseReference, updateText } from 'image-update';

const manifest = `\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    fluxcd.io/automated: "true"
    fluxcd.io/tag.web: semver:~1.2
spec:
  template:
    spec:
      containers:
      - name: web
        image: 'ghcr.io/acme/web:1.2.3'   # a comment, which stays
`;
const tags = ['1.2.3', '1.2.10', '1.3.0', '1.2.11-rc.1', 'latest'].map((name) => ({ name }));

// A reference is read into its parts, and written as its author spelt it.
const reference = parseReference('ghcr.io/acme/web:1.2.3')!;
console.log('reference:', reference);
console.log('another tag:', formatReference({ ...reference, tag: '1.2.10' }));

// A rule is compiled once; what does not compile comes back as an error to show to its author.
const rule = compilePattern('semver:~1.2');
if ('error' in rule) throw new Error(rule.error.message);
const choice = choose(rule, { image: 'ghcr.io/acme/web', complete: true, tags }, { tag: '1.2.3' });
console.log('chosen:', choice.chosen?.name, 'because', choice.reason);
for (const { tag, rule, detail } of choice.rejected) console.log('rejected:', tag, 'by', rule, detail ?? '');

// Which images there are, automated or not.
for (const { resource, container, path, line } of await listImages(manifest))
  console.log('image:', `${resource.kind}/${resource.name}`, container, 'at', path, 'in line', line);

// And the whole of it: annotations obeyed, text edited, each change and each refusal told.
const answers = [
  { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageMetadata', image: 'ghcr.io/acme/web', complete: true, tags },
];
const updated = await updateText(manifest, { answers, path: 'web.yaml' });
for (const { severity, message } of updated.results) console.log(`${severity}:`, message);
const before = manifest.split('\n');
for (const [i, line] of updated.text.split('\n').entries()) if (line !== before[i]) console.log('line', i + 1, 'is now:', line);
