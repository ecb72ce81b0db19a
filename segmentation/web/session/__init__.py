"""What belongs to one link: its events, images, labels, classifier and segmentation."""
