// Asks for a URL and parses its JSON: the least that a look-up must do.
async function main() {
  const response = await fetch(process.argv[2]);
  const { tags } = JSON.parse(await response.text());
  console.log(tags.length);
}

void main();
