"""What all commands share: flags, help, exit statuses."""
