/** What is known of an image repository, whatever source it came from: a recorded snapshot or a scan. */
export interface ImageMetadata {
  /** The repository as its source spells it; compared by `canonicalName`. */
  image: string;
  /** RFC 3339. The "now" of every age: the function has no clock, so a recorded choice replays as it was made. */
  scannedAt?: string;
  /** False when the listing was cut short. */
  complete: boolean;
  tags: TagMetadata[];
}

export interface TagMetadata {
  name: string;
  digest?: string;
  /** RFC 3339: when the image was built, by its config. */
  created?: string;
  /** RFC 3339: when the registry got the tag, where it says so. */
  pushed?: string;
  /** RFC 3339: the first scan that saw the tag. */
  firstSeen?: string;
  /** `os/arch[/variant]` of each image behind the tag. */
  platforms?: string[];
}
