"""Formats of microscopes and clinics, each read through a well-kept reader of its own: the extra ``formats``."""
